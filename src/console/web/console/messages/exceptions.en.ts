import { words as settle } from './exception-settle.en.ts'

export const words = {
  settle,
  title: 'Exceptions',
  states: { open: 'Open', resolved: 'Resolved', all: 'All' },
  stateFilter: 'Which exceptions',
  type: 'Type',
  anyType: 'Any type',
  terminal: 'Terminal',
  anyTerminal: 'Any terminal',
  what: 'What',
  withdrawal: 'Withdrawal',
  customer: 'Customer',
  amount: 'Amount',
  opened: 'Opened',
  outcome: 'Outcome',
  nothingLeft: 'Nothing left',
  left: (amount: string) => `${amount} left`,
  closed: 'Closed',
  by: (name: string) => `by ${name}`,
  noneOpen: 'Nothing is open',
  noneOpenText: 'Everything that happened at the machines is booked for certain.',
  none: 'There is none of these',
  noneText: 'None fits the filter.',
  emptyPage: 'None on this page; there may be some on the next one.',
}

export type Words = typeof words
