import { words as settle } from './exception-settle.en.ts'

export const words = {
  settle,
  start: 'Exchange notes',
  startText: (terminal: string) =>
    `${terminal} goes out of service until the exchange ends. What was approved and has not begun to leave goes back to its customers; what has begun is a suspect until the notes are counted.`,
  started: 'The exchange has begun.',
  title: 'Exchange of notes',
  back: 'The machine was opened. It serves nobody until this is ended.',
  mode: 'What happens to the notes that are in it?',
  set: 'They are counted and taken out, and others are put in',
  add: 'They stay, and more are put on top',

  count: 'Count',
  countText:
    'Say what is really there, not what the books say: they are compared afterwards. This posts nothing and may be repeated.',
  notesOf: (value: string, unit: string) => `Notes of ${value} in ${unit}`,
  anotherValue: 'Another value',
  anotherValueLabel: (unit: string) => `Another note’s value in ${unit}`,
  save: 'Save the count',
  saveAgain: 'Save the count again',
  countedBefore: 'These were counted and saved before. Save them again to see what they prove.',
  compared: 'Counted, compared with the books',
  changed: 'The count was changed since: save it again.',
  unit: 'Unit',
  expected: 'In the books',
  counted: 'Counted',
  variance: 'Difference',
  amount: 'Amount',
  asInBooks: 'Everything is as it is in the books.',
  missing: (amount: string) => `${amount} is missing.`,
  beyond: (amount: string) => `${amount} is there beyond the books.`,

  suspects: 'Suspects',
  suspectsText: 'After the exchange the notes prove nothing any more, so each must be answered now.',
  noProposal: 'What is missing does not tell. Look at the machine’s journal.',

  load: 'Load',
  loadText: 'How many notes are put in.',
  loadedIn: (unit: string) => `Notes to put into ${unit}`,
  sum: 'Together',
  end: 'End the exchange',
  endMore: 'End the exchange…',
  first: 'First save the count.',
  firstSuspects: 'Answer for each suspect first.',
  removed: (amount: string) => `The notes that were counted leave the machine: ${amount}.`,
  loaded: (amount: string) => `Notes worth ${amount} are in it afterwards.`,
  onTop: (amount: string) => `Notes worth ${amount} are put on top of what is there.`,
  nothingSettled: 'Nothing is counted, and suspects stay open.',
  even: 'Nothing is over or short.',
  short: (amount: string) => `${amount} is short, and goes to over/short.`,
  over: (amount: string) => `${amount} is over, and goes to over/short.`,
  afterwards: {
    in_service: 'Then the machine is in service again.',
    out_of_service: 'Then the machine is out of service, as it was before.',
  },
  ended: 'The exchange has ended.',
  endedEven: 'The exchange has ended: nothing over, nothing short.',
  endedShort: (amount: string) => `The exchange has ended: ${amount} short.`,
  endedOver: (amount: string) => `The exchange has ended: ${amount} over.`,
}

export type Words = typeof words
