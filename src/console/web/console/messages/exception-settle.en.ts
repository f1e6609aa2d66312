/** What is said wherever it is settled how much cash really left. */

type Moved = { readonly amount: string; readonly account: string; readonly terminal: string }

export const words = {
  /** What happened, and what a person can do about it. */
  about: {
    suspect:
      'The machine could not say which notes left, or said nothing in time. The money waits in transit until somebody knows: from the machine’s journal, its camera, or by counting.',
    confirm_after_reversal:
      'The money had gone back to the customer. Then the machine said that cash left after all.',
    reverse_after_confirm:
      'The machine had said that cash left, and the customer was debited. Then it took that back.',
    late_reversal:
      'The machine said nothing until its batch was closed, which was taken for cash that left. Then it took that back, and the customer has the money again. Say what is true.',
    over_dispensed:
      'The machine says that more cash left than was asked for. The customer is debited what was asked for until somebody knows.',
    reversal_mismatch:
      'The machine first said that one amount left, and later another. The books have the first one.',
    unknown_advice: 'The machine reports cash for a withdrawal that it never asked for.',
    out_of_balance:
      'What the machine counted of its batch is not what the books have. Compare the batch’s report with the machine’s own journal; what counting proves goes to over/short with the next exchange.',
    pin_key:
      'Ten PIN blocks in a row could not be read: the machine’s PIN key is not the one the server has. It was put out of service, and the cards have their tries back. Give it a new key.',
  } as Readonly<Record<string, string>>,
  resolve: 'Resolve',
  resolveTitle: 'What really left the machine?',
  resolveNoMoney:
    'No customer’s money is known to be at stake, so nothing will be posted. Say why this is settled.',
  resolveNoMoneyTitle: 'Resolve without posting',
  left: 'Cash that left',
  nothing: 'Nothing left',
  all: (amount: string) => `All of it left: ${amount}`,
  some: (amount: string) => `${amount} left`,
  other: 'Another amount',
  otherLabel: (currency: string) => `Another amount, in ${currency}`,
  otherWrong: 'An amount such as 40.00.',
  otherTooMuch: (amount: string) => `No more than ${amount} can have left.`,
  proposed: 'most likely',
  willPost: 'What this posts',
  choose: 'Choose what left, and here stands what will be posted.',
  posted: {
    paid: ({ amount, terminal }: Moved) => `${amount} leaves transit and counts as paid out by ${terminal}.`,
    back: ({ amount, account }: Moved) => `${amount} goes back from transit to account ${account}.`,
    more: ({ amount, account }: Moved) =>
      `${amount} more is taken from account ${account}, also where that leaves it below zero.`,
    taken: ({ amount, account, terminal }: Moved) =>
      `${amount} is taken from account ${account}, also where that leaves it below zero, and counts as paid out by ${terminal}; as over/short, if its notes were counted since.`,
    given: ({ amount, account, terminal }: Moved) =>
      `${amount} goes back to account ${account}, out of the cash of ${terminal}; out of over/short, if its notes were counted since.`,
    ends: ({ amount, account }: Moved) =>
      `In the end account ${account} is debited ${amount}, and the customer has ${amount} in cash.`,
    endsWithNone: ({ account }: Moved) => `In the end account ${account} is debited nothing.`,
  },
  twoPeople:
    'Where this moves more than one person alone may settle, it waits until somebody else says the same.',
  resolved: 'Resolved.',
  noted: 'Noted. It waits until somebody else says the same.',
  waits: ({ by, amount }: { by: string; amount: string }) => `${by} says that ${amount} left`,
  waitsNothing: ({ by }: { by: string }) => `${by} says that nothing left`,
  waitsText: (reason: string) => `“${reason}” Somebody else must say the same: then it is posted.`,
  waitsMine: 'You said so. It waits until somebody else says the same.',
  waitsBadge: 'Waits for a second person',
  saySame: 'Say the same',
  opened: 'Opened',
  amount: 'Amount',
  proposal: 'Most likely left',
  resolvedBy: 'Resolved by',
  resolvedAt: 'Resolved',
  dispensed: 'Cash that left',
  reason: 'Reason',
  nobody: 'Demo',
  transfers: 'Posted',
  noTransfers: 'Nothing had to be posted.',
}

export type Words = typeof words
