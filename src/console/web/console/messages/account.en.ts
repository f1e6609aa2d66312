import { words as live } from './live.en.ts'

export const words = {
  title: (number: string) => `Account ${number}`,
  accounts: 'Accounts',
  houses: {
    cash: 'Of the house: cash over the counter',
    equity: 'Of the house: where opening balances come from',
    adjustments: 'Of the house: what people corrected by hand',
    vault: 'Of the house: cash that is in no machine',
  } as Readonly<Record<string, string>>,
  terminalText: 'Of the cash machine',

  available: 'Available',
  availableText: 'may leave now',
  ledger: 'Ledger balance',
  held: 'Held',
  heldText: (holds: number) => (holds === 1 ? 'in 1 hold' : `in ${holds} holds`),
  transit: 'In transit',
  transitText: 'on its way at cash machines',
  overdraft: 'Overdraft limit',
  minimum: 'Must stay',

  freeze: 'Freeze',
  freezeTitle: (number: string) => `Freeze account ${number}?`,
  freezeText:
    'Nothing leaves it and nothing comes in, here and at every machine, until somebody unfreezes it. Cash that is leaving a machine right now is booked all the same.',
  frozen: 'The account is frozen.',
  block: 'Block',
  blockTitle: (number: string) => `Block account ${number}?`,
  blockWhat: 'What is refused',
  blockDebits: 'What leaves it: withdrawals, transfers out, new holds',
  blockCredits: 'What comes in: deposits, transfers in',
  blocked: 'The account is blocked.',
  unfreeze: 'Unfreeze',
  unblock: 'Unblock',
  freeTitle: (number: string) => `Free account ${number}?`,
  freeText: 'Money may leave it and come in again.',
  freed: 'The account is active again.',
  close: 'Close',
  closeTitle: (number: string) => `Close account ${number}?`,
  closeText:
    'For ever: a closed account cannot be opened again. Its balance must be zero, with nothing held or on its way.',
  closed: 'The account is closed.',

  limits: 'Limits',
  perTransaction: 'Limit of one transaction',
  perDay: 'Used of the day’s limit',
  countPerDay: 'Times used of the day’s limit',
  usedOf: (used: string, limit: string) => `${used} of ${limit}`,

  pending: 'Held',
  open: 'On its way at cash machines',

  views: 'What is shown of the account',
  entries: 'Entries',
  withdrawals: 'Withdrawals at machines',
  holds: 'Holds',
  statement: 'Statement',

  from: 'From',
  to: 'To',
  utc: 'Days of UTC',
  anyTime: 'Any time',

  at: 'When',
  what: 'What',
  otherSide: 'Other side',
  reference: 'Reference',
  amount: 'Amount',
  balance: 'Balance',
  noEntries: 'Nothing has been posted yet',
  noEntriesThen: 'Nothing was posted then',
  kinds: live.transferKinds,
  forced: 'forced',
  reverses: (id: string) => `of ${id}`,

  withdrawal: 'Withdrawal',
  terminal: 'Machine',
  state: 'State',
  card: 'Card',
  paid: 'Paid out',
  noWithdrawals: 'No withdrawals at cash machines',

  hold: 'Hold',
  until: 'Until',
  captured: 'Captured',
  noHolds: 'No holds',
}

export type Words = typeof words
