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
] as const

export type EventType = (typeof eventTypes)[number]
