export const words = {
  title: 'Search',
  titleOf: (q: string) => `“${q}”`,
  nothing: 'What are you looking for?',
  none: 'Nothing was found',
  hint: 'A terminal, a withdrawal’s id, an account number, the last four digits of a card, a STAN, an RRN, an authorization code, or an amount with its day: “60.00 2026-11-26”, “60 today”.',
  more: 'There is more of it: say more, such as the day beside the amount.',
  found: 'Found',
  state: 'State',
  about: 'About',
  amount: 'Amount',
  at: 'When',
  kinds: {
    terminal: 'Terminal',
    withdrawal: 'Withdrawal',
    account: 'Account',
    card: 'Card',
    exception: 'Exception',
    transfer: 'Transfer',
    deposit: 'Deposit of notes',
  },
}

export type Words = typeof words
