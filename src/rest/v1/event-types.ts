/** The types of events, as clients filter by them. */
export const eventTypes = [
  'cashpoint.account.opened',
  'cashpoint.account.changed',
  'cashpoint.account.limits_set',
  'cashpoint.transfer.posted',
  'cashpoint.hold.placed',
  'cashpoint.hold.posted',
  'cashpoint.hold.voided',
  'cashpoint.hold.expired',
  'cashpoint.withdrawal.authorized',
  'cashpoint.withdrawal.declined',
  'cashpoint.withdrawal.started',
  'cashpoint.withdrawal.settled',
  'cashpoint.terminal.changed',
  'cashpoint.batch.closed',
  'cashpoint.exception.opened',
  'cashpoint.exception.resolved',
  'cashpoint.card.changed',
] as const

export type EventType = (typeof eventTypes)[number]
