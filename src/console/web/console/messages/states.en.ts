export const words = {
  terminal: { in_service: 'In service', out_of_service: 'Out of service', exchange: 'Being filled' },
  withdrawal: {
    declined: 'Declined',
    authorized: 'Authorized',
    dispensing: 'Dispensing',
    completed: 'Paid out',
    partially_completed: 'Paid in part',
    reversed: 'Reversed',
    suspect: 'Suspect',
  },
  deposit: { completed: 'Taken', reversed: 'Reversed', declined: 'Declined' },
  exception: { open: 'Open', resolved: 'Resolved' },
  card: { active: 'Active', blocked: 'Blocked', lost: 'Lost', stolen: 'Stolen', expired: 'Expired' },
  account: {
    active: 'Active',
    debit_blocked: 'Debits blocked',
    credit_blocked: 'Credits blocked',
    frozen: 'Frozen',
    closed: 'Closed',
  },
  hold: { pending: 'Pending', posted: 'Captured', voided: 'Released', expired: 'Expired' },
  unit: { ok: 'All right', low: 'Low', empty: 'Empty', inoperative: 'Out of order' },
}

export type Words = typeof words
