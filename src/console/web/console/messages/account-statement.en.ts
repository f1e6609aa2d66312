import { words as live } from './live.en.ts'

export const words = {
  title: (number: string) => `Statement of account ${number}`,
  accounts: 'Accounts',
  account: (number: string) => `Account ${number}`,
  print: 'Print',
  download: 'Download CSV',
  from: 'From',
  to: 'To',
  utc: 'Days of UTC',
  anyTime: 'Any time',
  times: '(days and times of UTC)',
  entries: 'Entries',
  opening: 'Opening balance',
  closing: 'Closing balance',
  paidIn: 'In',
  paidOut: 'Out',
  at: 'When',
  what: 'What',
  reference: 'Reference',
  balance: 'Balance',
  transfer: 'Transfer',
  currency: 'Currency',
  none: 'Nothing was posted in this time',
  kinds: live.transferKinds,
}

export type Words = typeof words
