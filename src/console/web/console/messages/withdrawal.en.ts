import { words as settle } from './exception-settle.en.ts'

type Of = {
  readonly amount: string
  readonly account: string
  readonly dispensed: string
  readonly rest: string
  /** Until when something is waited for, or since when nobody knows. */
  readonly at: string
  readonly why: string
  /** What the machine says. */
  readonly said: string
}

export const words = {
  settle,
  title: (id: string) => `Withdrawal ${id}`,
  terminals: 'Terminals',
  all: 'Withdrawals',
  /** What happened to the money, in one sentence for each state. */
  verdict: {
    declined: ({ why }: Of) => `Nobody was debited and no note left: the bank said no. ${why}`,
    authorized: ({ amount, account, at }: Of) =>
      `${amount} of account ${account} is set aside, and no note has left yet. Unless the machine begins by ${at}, it goes back by itself.`,
    unconfirmed: ({ amount, account }: Of) =>
      `${amount} of account ${account} is in transit. This machine reports only what went wrong: if it says nothing until its batch is closed, the customer has the cash.`,
    dispensing: ({ amount, account, at }: Of) =>
      `The notes are leaving now: ${amount} of account ${account} is in transit, and the machine has until ${at} to say what left.`,
    completed: ({ amount, account }: Of) =>
      `The customer has ${amount} in cash, and account ${account} was debited that.`,
    partially_completed: ({ amount, dispensed, rest, account }: Of) =>
      `The customer has ${dispensed} of the ${amount} in cash. Account ${account} was debited that; the other ${rest} went back.`,
    reversed: ({ amount, account }: Of) =>
      `Nobody was debited: no note left, and the ${amount} is back on account ${account}.`,
    suspect: ({ amount, account, at }: Of) =>
      `${amount} is uncertain since ${at}: it has left account ${account}, and nobody knows whether the notes left the machine.`,
    over: ({ amount, account, at, said }: Of) =>
      `${amount} of account ${account} is in transit, and uncertain since ${at}: the machine says that ${said} left, more than was asked for.`,
    tombstone: () =>
      'Nobody was debited: it was taken back before it was asked for, and can never be done any more.',
    reported: () => 'Nobody was debited: the machine never asked for it, and reports that cash left.',
  },
  /** Why the bank said no, as a code of the answer. */
  refusals: {
    insufficient_funds: 'There was not enough money on the account.',
    limit_amount: 'It was above a limit.',
    limit_count: 'It was one withdrawal too many for the day.',
    amount_not_dispensable: 'The machine had no notes for exactly that.',
    pin_incorrect: 'The PIN was wrong.',
    pin_locked: 'The card’s PIN is locked after three wrong tries.',
    pin_required: 'No PIN was entered.',
    card_not_found: 'The card is not one of ours.',
    card_blocked: 'The card is blocked.',
    card_lost: 'The card was reported lost.',
    card_stolen: 'The card was reported stolen.',
    card_expired: 'The card has expired.',
    account_not_allowed: 'The account is frozen, or not one of the card’s.',
    account_closed: 'The account is closed.',
    terminal_not_allowed: 'The machine was out of service.',
    currency_mismatch: 'The account is in another currency.',
    already_reversed: 'It had been taken back before it was asked for.',
  } as Readonly<Record<string, string>>,
  refusedFor: (code: string) => `(${code})`,
  andThen: 'But it is not settled.',

  asked: 'Asked for',
  debited: 'Debited',
  transit: 'In transit',
  left: 'Left the machine',
  notKnown: 'not known',

  customer: 'Customer',
  account: 'Account',
  accountState: 'State',
  available: 'Available',
  ledger: 'Balance',
  card: 'Card',
  noCustomer: 'No customer is known.',

  machine: 'Machine',
  terminal: 'Terminal',
  terminalState: 'State',
  lastSeen: 'Last seen',
  uncertain: 'Uncertain at it',
  batch: 'Batch',

  references: 'References',
  id: 'Withdrawal',
  code: 'Authorization code',
  stan: 'STAN',
  rrn: 'RRN',
  at: 'Asked at',

  notes: 'Notes',
  unit: 'Unit',
  planned: 'To leave',
  gone: 'Left',
  rejected: 'Rejected',
  assumed: 'Nobody said which notes left: those that were to are taken for it.',

  history: 'What happened',
  historyNone: 'Nothing is known of it.',
  historyMore: 'There is more than is shown here; the journal has all of it.',
  by: (name: string) => `by ${name}`,
  events: {
    withdrawal_authorized: 'Asked for and approved',
    withdrawal_declined: 'Asked for and declined',
    withdrawal_started: 'Notes began to leave',
    withdrawal_settled: 'Settled',
    exception_opened: 'Exception opened',
    exception_waits: 'One person has said what left',
    exception_resolved: 'Exception resolved',
  } as Readonly<Record<string, string>>,
  /** By what the machine reported: of a withdrawal that it had not asked for, and of one that had ended. */
  forestalled: {
    reverse: 'Taken back before it was asked for',
    confirm: 'Reported as paid, and never asked for',
    unclear: 'Reported, and it fits no withdrawal for certain',
  } as Readonly<Record<string, string>>,
  advised: {
    reverse: 'The machine said afterwards that nothing left',
    confirm: 'The machine said afterwards what left',
  } as Readonly<Record<string, string>>,
  settledBy: {
    confirm: 'The machine said what left',
    reverse: 'The machine said that nothing left',
    expiry: 'No word came in time',
    close: 'The batch was closed, and silence counts as paid out',
    exchange: 'Counted when the notes were exchanged',
    resolution: 'Somebody said what left',
  } as Readonly<Record<string, string>>,
  settledInDoubt: 'The machine could not say for certain what left',
  toldApproved: ({ amount, notes }: { amount: string; notes: string }) => `${amount}; to leave: ${notes}`,
  toldLeft: ({ amount, notes }: { amount: string; notes: string }) =>
    `${amount} left${notes === '' ? '' : `: ${notes}`}`,
  toldNothing: 'Nothing left',
  toldUnknown: 'Nobody knows what left',
  toldUntil: (at: string) => `The machine has until ${at} to say what left`,
  noteCount: ({ count, value }: { count: string; value: string }) => `${count} × ${value}`,
}

export type Words = typeof words
