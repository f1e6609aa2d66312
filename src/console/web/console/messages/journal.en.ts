import { words as live } from './live.en.ts'

/** Figures as texts. */
type Proven = { readonly records: string; readonly blocks: string; readonly accounts: string }

export const words = {
  title: 'Journal',
  text: 'Everything that ever happened, in blocks each of which has the hash of the one before: nothing in it can be changed unseen.',
  views: 'What is shown of the journal',
  records: 'Records',
  blocks: 'Blocks',
  acts: 'Who did what',

  proof: 'Proof of the books',
  proofText:
    'Reads every block from the first on, computes each hash and each balance anew, and says the first thing that is wrong.',
  verify: 'Verify',
  verifying: 'Verifying…',
  beginning: 'It begins…',
  blockOf: (block: string, of: string) => `Block ${block} of ${of}`,
  askedBy: (who: string) => `asked for by ${who}`,
  never: 'Nobody has verified the books since this server began.',
  proven: 'The books prove',
  provenText: ({ records, blocks, accounts }: Proven) =>
    `${records} records in ${blocks} blocks, ${accounts} accounts: every hash, link and balance is right.`,
  provenPart: (records: string, from: string, to: string) =>
    `${records} records in blocks ${from} to ${to}: every hash and link is right.`,
  notProven: 'The books do not prove',
  wrongAt: (block: string, record: string | undefined) =>
    record === undefined
      ? `The first thing that is wrong is in block ${block}:`
      : `The first thing that is wrong is in block ${block}, record ${record}:`,
  couldNot: 'They could not be read to the end:',
  whatNow:
    'Whatever comes after it cannot be trusted until somebody has looked: compare with a backup before anything else.',
  finished: 'Finished',
  took: 'It took',
  lessThanASecond: 'less than a second',
  by: 'Asked for by',
  head: 'Head of the chain',
  headOf: (block: string) => `block ${block}`,
  sums: 'Per currency, all accounts sum to zero',
  currency: 'Currency',
  customers: 'Customers',
  terminals: 'Cash machines',
  house: 'The house',
  sum: 'Sum',

  heads: 'Heads of the chain',
  writer: 'Writer',
  block: 'Block',
  lastRecord: 'Last record',
  ofWriter: (writer: string, sequence: string) => `no. ${sequence} of writer ${writer}`,
  recordsIn: (records: number, figure: string) => (records === 1 ? '1 record' : `${figure} records`),
  hash: 'Hash',
  previous: 'Follows',
  blockNumber: (block: string) => `block ${block}`,
  firstBlock: 'nothing: the first',
  upToBlock: (block: string) => `Up to block ${block}.`,
  upToRecord: (record: string) => `Up to record ${record}.`,
  newest: 'Show the newest',

  newer: (count: string) => `Show what is newer (${count})`,
  record: 'Record',
  what: 'What',
  where: 'Of',
  at: 'When',
  amount: 'Amount',
  noRecords: 'Nothing has happened yet',
  telling: live,

  who: 'Who',
  why: 'Why',
  details: 'All of record',
  demo: 'Demo mode',
  noActs: 'Nobody has done anything yet that only some may do',
  actions: {
    account_changed: 'Changed the state of an account',
    limits_set: 'Set the limits of an account',
    credential_created: 'Made a credential',
    credential_revoked: 'Revoked a credential',
    webhook_created: 'Made a webhook',
    webhook_disabled: 'Disabled a webhook',
    webhook_redelivered: 'Had events sent again',
    adjustment_requested: 'Asked for an adjustment',
    adjustment_rejected: 'Rejected an adjustment',
    adjustment_posted: 'Posted an adjustment',
    reversal_forced: 'Forced a reversal',
    capture_forced: 'Forced a capture',
    correction_forced: 'Forced a correction',
    return_forced: 'Forced a return',
    withdrawal_forced: 'Booked a withdrawal by advice',
    deposit_forced: 'Forced a deposit',
    dispense_forced: 'Booked cash by advice',
    terminal_created: 'Made a terminal',
    terminal_changed: 'Changed a terminal',
    card_issued: 'Issued a card',
    card_changed: 'Changed a card',
    exception_waits: 'Settled an exception, which waits for a second person',
    exception_resolved: 'Settled an exception',
    exchange_started: 'Began an exchange',
    exchange_ended: 'Ended an exchange',
    demo_ended: 'The demo mode ended',
  } as Readonly<Record<string, string>>,
}

export type Words = typeof words
