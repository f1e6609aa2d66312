export const words = {
  title: 'Cards',
  text: 'Of a card’s number the last four digits are kept, and no more.',
  status: 'Status',
  anyStatus: 'Any',
  last4: 'Last four digits',
  find: 'Find',
  card: 'Card',
  accounts: 'Accounts',
  expiry: 'Good through',
  tries: 'PIN tries left',
  none: 'There are no cards yet',
  noneText: 'One is issued by POST /v1/cards.',
  noneHere: 'None on this page',
  noneHereText: 'There may be some on the next ones.',
  noneFound: (last4: string) => `No card ends in ${last4}`,
  noneSuch: 'There are no such cards',
  all: 'All cards',
}

export type Words = typeof words
