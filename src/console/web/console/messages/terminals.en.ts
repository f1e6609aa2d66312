export const words = {
  title: 'Terminals',
  terminal: 'Terminal',
  state: 'State',
  units: 'Units',
  cash: 'Cash',
  uncertain: 'Uncertain',
  lastCashOut: 'Last cash out',
  lastSeen: 'Last seen',
  none: 'There are no terminals yet',
  noneText: 'An administrator makes one with POST /v1/terminals.',
}

export type Words = typeof words
