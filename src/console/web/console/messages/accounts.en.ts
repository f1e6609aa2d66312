import { words as account } from './account.en.ts'

export const words = {
  title: 'Accounts',
  total: (count: string) => `${count} altogether, in the order of their numbers`,
  views: 'Whose accounts',
  customers: 'Customers',
  house: 'The house’s own',
  goTo: 'Account number',
  goToHint: 'the whole number',
  open: 'Open',
  state: 'State',
  anyState: 'Any',
  currency: 'Currency',
  anyCurrency: 'Any',
  number: 'Account',
  ledger: 'Ledger balance',
  held: 'Held',
  available: 'Available',
  none: 'There are no such accounts',
  noneText: 'A deposit opens one, or POST /v1/accounts.',
  all: 'All accounts',
  houses: account.houses,
}

export type Words = typeof words
