export const words = {
  title: (card: string) => `Card ${card}`,
  cards: 'Cards',
  id: 'Known as',
  expiry: 'Good through',
  pin: 'PIN',
  pinSet: (policy: string) => `Set, ${policy}`,
  pinNotSet: 'Not set',
  policies: { always: 'always asked for', if_present: 'judged where there is one' } as Readonly<
    Record<string, string>
  >,
  tries: 'Tries left',
  triesOf: (left: string) => `${left} of 3`,
  locked: 'PIN locked',
  lockedText: 'Three wrong PINs in a row. Unblocking gives the tries back.',
  perWithdrawal: 'In one withdrawal',
  perDay: 'In a day',
  countPerDay: 'Times a day',
  unlimited: 'not limited',

  accounts: 'Accounts',
  account: 'Account',
  kind: 'Kind',
  kinds: { checking: 'Checking', savings: 'Savings', credit: 'Credit' } as Readonly<Record<string, string>>,
  usual: 'Usual',

  block: 'Block',
  blockTitle: (card: string) => `Block card ${card}?`,
  blockText: 'No machine pays out on it from now on.',
  blockWhat: 'Why it is blocked',
  blockFor: {
    blocked: 'For now: it can be unblocked',
    lost: 'Lost: for ever',
    stolen: 'Stolen: for ever',
  },
  blocked: 'The card is blocked.',
  unblock: 'Unblock',
  giveBack: 'Give the tries back',
  unblockTitle: (card: string) => `Unblock card ${card}?`,
  unblockText: 'It is active again, with all three tries at its PIN.',
  unblocked: 'The card is active again.',

  withdrawals: 'Withdrawals',
  noWithdrawals: 'No withdrawals with this card',
  withdrawal: 'Withdrawal',
  terminal: 'Machine',
  state: 'State',
  at: 'When',
  amount: 'Amount',
  paid: 'Paid out',
}

export type Words = typeof words
