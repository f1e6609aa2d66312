export const words = {
  exception_resolved: 'Somebody has resolved this otherwise in the meantime.',
  second_person_needed: 'Somebody else must say the same: one person alone may not settle this much.',
  suspects_open: 'Settle the suspect withdrawals first: the notes in the machine are the proof.',
  exchange_open: 'An exchange is under way at this machine.',
  no_exchange: 'This exchange is over.',
  not_counted: 'Count the units before they are set anew.',
  withdrawals_open: 'Withdrawals are under way.',
  account_not_empty: 'Only an account with a balance of zero and without holds can be closed.',
}

export type Words = typeof words
