/** What proves the ATM side: forged records, sealed again with right totals, so that only their sense is wrong. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cardIdOf } from '../support/atm-words.ts'
import { assertProven, type Entry, prove } from '../support/journal.ts'
import { blank, forgedBy, type Records } from './verify-atm-forge.ts'
import { storyJournal } from './verify-atm-story.ts'

const honest: readonly Entry[] = storyJournal().entries

const K = cardIdOf('K')

type Forgery = readonly [name: string, forge: (records: Records) => void, what: RegExp]

const authorized = (records: Records, withdrawal: string) =>
  records('withdrawal_authorized', { withdrawal }).body
const settled = (records: Records, withdrawal: string, n = 1) =>
  records('withdrawal_settled', { withdrawal }, n).body
const transfer = (records: Records, operation: string, type: string) =>
  records('transfer', { operation: `T/${operation}`, type }).body

const ofTransfers: readonly Forgery[] = [
  [
    'a withdrawal that nobody authorized',
    (of) => blank(of('withdrawal_authorized', { withdrawal: 'w1' })),
    /is not of T\/w1, whose transfers are just before it/,
  ],
  [
    'a settlement that is missing at the end of its block',
    (of) => blank(of('withdrawal_settled', { withdrawal: 'w1' })),
    /is not of T\/w1/,
  ],
  [
    'a transfer of another operation than its record',
    (of) => (transfer(of, 'w1', 'dispense').operation = 'T/w2'),
    /is not of T\/w2/,
  ],
  [
    'a transfer of no operation on an account of a terminal',
    (of) => delete transfer(of, 'w1', 'dispense').operation,
    /moves money on T\.transit for no operation/,
  ],
  [
    'a dispense of customers',
    (of) => delete transfer(of, 's1', 'transfer').operation,
    /names the transfers 1-[0-9]+; just before it are none/,
  ],
  [
    'a deposit at the counter that is a return',
    (of) => (of('transfer', { type: 'deposit', credit: 'A' }).body.type = 'return'),
    /is a return of no operation/,
  ],
  [
    'money out of the vault over the counter',
    (of) => (of('transfer', { type: 'deposit', credit: 'A' }).body.debit = 'vault:USD'),
    /moves money on vault:USD for no operation/,
  ],
  [
    'a dispense that goes back to the customer',
    (of) => (transfer(of, 'w1', 'dispense').type = 'return'),
    /is a return of T\/w1 from T\.transit to T\.cash/,
  ],
  [
    'a withdrawal straight into cash',
    (of) => (transfer(of, 'w1', 'withdrawal').credit = 'T.cash'),
    /is a withdrawal of T\/w1 from A to T\.cash/,
  ],
  [
    'a withdrawal into the transit of another terminal',
    (of) => (transfer(of, 'w1', 'withdrawal').credit = 'S.transit'),
    /is a withdrawal of T\/w1 from A to S\.transit/,
  ],
  [
    'a deposit out of the vault',
    (of) => (transfer(of, 'p1', 'deposit').debit = 'vault:USD'),
    /is a deposit of T\/p1 from vault:USD to A/,
  ],
  [
    'notes loaded from a customer',
    (of) => (of('transfer', { type: 'load' }).body.credit = 'A'),
    /is a load of T\/x_1-9 from T\.cash to A/,
  ],
  [
    'a variance in transit',
    (of) => (of('transfer', { type: 'variance' }).body.credit = 'T.transit'),
    /is a variance of T\/x_1-[0-9]+ from T\.cash to T\.transit/,
  ],
  [
    'a correction that is not forced',
    (of) => delete transfer(of, 'w3', 'correction').forced,
    /is a correction of T\/w3 that is not forced/,
  ],
  [
    'a dispense that is forced',
    (of) => (transfer(of, 'w1', 'dispense').forced = true),
    /is a dispense of T\/w1 that is forced/,
  ],
  [
    'an operation of no terminal',
    (of) => (transfer(of, 'w1', 'withdrawal').operation = 'X/w1'),
    /is of X\/w1, which is of no terminal/,
  ],
  [
    'an operation in another currency',
    (of) => (transfer(of, 'w1', 'withdrawal').currency = 'EUR'),
    /moves EUR of T\/w1, which is in USD/,
  ],
  [
    'a settlement that claims another transfer',
    (of) => (settled(of, 'w1').transfers = ['1-23']),
    /names the transfers 1-23; just before it are 1-26/,
  ],
  [
    'a settlement that claims none',
    (of) => (settled(of, 'w2').transfers = []),
    /names the transfers of nothing; just before it are 1-31, 1-32/,
  ],
  [
    'a settlement that claims them in another order',
    (of) => settled(of, 'w2').transfers.reverse(),
    /names the transfers 1-32, 1-31; just before it are/,
  ],
  [
    'an exchange that claims none',
    (of) => (of('exchange_ended').body.transfers = []),
    /names the transfers of nothing/,
  ],
  [
    'a hold on an account of a terminal',
    (of) => {
      const record = of('terminal_changed')
      record.line.kind = 'hold_placed'
      record.body = { account: 'T.transit', amount: 1, currency: 'USD' }
    },
    /is of account T\.transit, which is a terminal's/,
  ],
  [
    'an adjustment of an account of a terminal',
    (of) => {
      const record = of('terminal_changed')
      record.line.kind = 'adjustment_requested'
      record.body = {
        account: 'T.cash',
        currency: 'USD',
        amount: 1,
        direction: 'debit',
        second_person: true,
      }
    },
    /is of account T\.cash, which is a terminal's/,
  ],
]

const ofTerminals: readonly Forgery[] = [
  [
    'an account of a terminal that is none',
    (of) => (of('account_opened', { account: 'T.cash' }).body.account = 'T.vault'),
    /opens account T\.vault, which is not the next of a terminal's/,
  ],
  [
    'two accounts of a terminal in another order',
    (of) => {
      of('account_opened', { account: 'T.cash' }).body.account = 'T.transit'
      of('account_opened', { account: 'T.transit' }, 2).body.account = 'T.cash'
    },
    /opens account T\.transit, which is not the next/,
  ],
  [
    'accounts of a terminal that is never created',
    (of) => blank(of('terminal_created', { terminal: 'S' })),
    /is not of the terminal whose account S\.cash was opened/,
  ],
  [
    'a terminal of another name than its accounts',
    (of) => (of('terminal_created').body.terminal = 'U'),
    /creates terminal U, whose accounts were not opened just before/,
  ],
  [
    'a terminal in another currency than its accounts',
    (of) => (of('terminal_created').body.currency = 'EUR'),
    /creates terminal T, whose accounts were not opened just before, in EUR/,
  ],
  [
    'an account of a terminal that may be overdrawn',
    (of) => (of('account_opened', { account: 'T.cash' }).body.overdraft_limit = 1),
    /opens account T\.cash as a customer's/,
  ],
  [
    'two units of one name',
    (of) => (of('terminal_created').body.units[1].id = 'C1'),
    /creates terminal T with units of no kind/,
  ],
  [
    'notes that are worth nothing',
    (of) => (of('terminal_created').body.units[0].value = 0),
    /creates terminal T with units of no kind/,
  ],
  [
    'notes that are worth something else',
    (of) => (of('terminal_created').body.units[1].value = 20),
    /ends exchange x_1-9 with a load of 600; it must be 700/,
  ],
  [
    'a terminal that is what none is',
    (of) => (of('terminal_changed').body.state = 'exchange'),
    /makes terminal S what none is: exchange/,
  ],
  [
    'a terminal that there is not',
    (of) => (of('terminal_changed').body.terminal = 'X'),
    /names terminal X, which was never created/,
  ],
  ['a change of nothing', (of) => delete of('terminal_changed').body.state, /changes nothing of terminal S/],
  [
    'blocks that were never counted',
    (of) => (of('terminal_changed').body.bad_blocks = [K, K]),
    /counts blocks of terminal S that do not decode/,
  ],
  [
    'an old key that was never there',
    (of) => (of('terminal_changed').body.pin_keys = [{ kcv: '1' }, { kcv: '2' }]),
    /gives terminal S keys that it did not have/,
  ],
  [
    'an old MAC key that was never there',
    (of) => (of('terminal_changed').body.mac_keys = [{ kcv: '1' }, { kcv: '2' }]),
    /gives terminal S keys that it did not have/,
  ],
  [
    'a MAC key that is gone and was never there',
    (of) => (of('terminal_changed').body.mac_keys = []),
    /gives terminal S keys that it did not have/,
  ],
]

const ofAuthorizations: readonly Forgery[] = [
  [
    'an id that was used before',
    (of) => {
      transfer(of, 'w2', 'withdrawal').operation = 'T/w1'
      authorized(of, 'w2').withdrawal = 'w1'
    },
    /names T\/w1, which was used before/,
  ],
  [
    'an id that is none',
    (of) => {
      transfer(of, 'w2', 'withdrawal').operation = 'T/w 2'
      authorized(of, 'w2').withdrawal = 'w 2'
    },
    /authorizes "w 2", which is no id/,
  ],
  [
    'more than the transfer says',
    (of) => (authorized(of, 'w1').amount = 50),
    /authorizes 50 of account A, which the transfer before it does not say/,
  ],
  [
    'another account than the transfer says',
    (of) => (authorized(of, 'w1').account = 'B'),
    /authorizes 60 of account B, which the transfer before it does not say/,
  ],
  [
    'more notes than the amount is worth',
    (of) => (authorized(of, 'w1').units = { C1: 1, C3: 2 }),
    /authorizes 60 in notes that are worth 70/,
  ],
  [
    'notes of a unit that takes them',
    (of) => (authorized(of, 'w1').units = { D1: 1 }),
    /authorizes 60 in notes that are worth nothing/,
  ],
  [
    'half a note',
    (of) => (authorized(of, 'w1').units = { C1: 1.2 }),
    /authorizes 60 in notes that are worth nothing/,
  ],
  [
    'more notes than it gives at once',
    (of) => (of('terminal_created').body.max_notes = 1),
    /authorizes 2 notes, more than its terminal gives at once/,
  ],
  [
    'more than it pays out',
    (of) => (of('terminal_created').body.max_withdrawal = 59),
    /authorizes 60, which terminal T never pays out/,
  ],
  [
    'notes that are not there',
    (of) => {
      of('exchange_ended').body.loaded = { C1: 12, C3: 0 }
      blank(of('reply'))
    },
    /authorizes 1 notes of C3, which has not so many that are free/,
  ],
  [
    'a customer at a terminal that is out of service',
    (of) => {
      blank(of('terminal_changed', { terminal: 'T' }))
      blank(of('reply'))
    },
    /is at terminal T, which is out_of_service/,
  ],
  [
    'a customer at a terminal that is not signed on',
    (of) => (of('terminal_created').body.require_sign_on = true),
    /is at terminal T, which is not signed on/,
  ],
  [
    'a card that is blocked',
    (of) => (of('card_changed', {}, 2).body = { card: K, status: 'blocked', reason: 'r' }),
    /is by card .*, which is blocked/,
  ],
  [
    'a card that does not have the account',
    (of) => {
      of('card_issued').body.accounts = [{ account: 'B', type: 'checking', default: true }]
    },
    /is by card .*, which does not have account A/,
  ],
  [
    'a card that was never issued',
    (of) => (authorized(of, 'w1').card = cardIdOf('N')),
    /is by a card that was never issued/,
  ],
  [
    'a card that ends otherwise',
    (of) => (authorized(of, 'w1').last4 = '0127'),
    /is by card .*, which does not end in 0127/,
  ],
  [
    'a later time to start',
    (of) => (authorized(of, 'w1').expires_at += 1000),
    /expires at 1893456061000; it must be 1893456060000/,
  ],
  [
    'no time to start by',
    (of) => (authorized(of, 'w1').expires_at = null),
    /expires at null; it must be 1893456060000/,
  ],
  ['silence that ends', (of) => (authorized(of, 'i6').expires_at = 1), /expires at 1; it must be null/],
  ['another batch', (of) => (authorized(of, 'w1').batch = 2), /is in batch 2 of T, where 1 is open/],
  [
    'another day than its batch has',
    (of) => (authorized(of, 'w2').business_date = '2030-01-02'),
    /is on 2030-01-02 in a batch of 2030-01-01/,
  ],
  [
    'a day that is none',
    (of) => (authorized(of, 'w1').business_date = 'today'),
    /is on today, which is no day/,
  ],
  [
    'another balance than was left',
    (of) => (authorized(of, 'w1').balance.available = 941),
    /tells of 940 and 941 available; it is 940 and 940/,
  ],
  [
    'another amount than was asked for',
    (of) => {
      const { body } = of('withdrawal_declined')
      body.amount = 6000
    },
    /was asked for with another amount than 6000/,
  ],
  [
    'a fingerprint that is none',
    (of) => (of('withdrawal_declined').body.fingerprint = ''),
    /has no fingerprint/,
  ],
  [
    'a decline for a reason that there is not',
    (of) => (of('withdrawal_declined').body.code = 'bad_luck'),
    /declines for no reason there is: bad_luck/,
  ],
  [
    'a limit that there is not',
    (of) => (of('withdrawal_declined').body.about.limit = 800),
    /tells of a limit of 800, of which 190 is used and 710 is left/,
  ],
  [
    'more tries than are left',
    (of) => (of('withdrawal_declined', { code: 'pin_incorrect' }).body.about.tries_left = 3),
    /tells of 3 tries left; there are 2/,
  ],
  [
    'an authorization that is a decline, after its money moved',
    (of) => {
      const record = of('withdrawal_authorized', { withdrawal: 'w1' })
      record.line.kind = 'withdrawal_declined'
      record.body = { ...record.body, code: 'card_lost' }
    },
    /is not of T\/w1, whose transfers are just before it/,
  ],
]

const ofLimits: readonly Forgery[] = [
  [
    'a card that is not counted',
    (of) => delete authorized(of, 'w1').card_used,
    /is not counted against the limits of card/,
  ],
  [
    'a card that is counted with less',
    (of) => (authorized(of, 'w1').card_used.amount = 59),
    /leaves .* of the limits of card .* used; it must be/,
  ],
  [
    'a card whose day has no more',
    (of) => (of('card_issued').body.limits.daily_count = 1),
    /passes the limits of card/,
  ],
  [
    'a card without limits that is counted',
    (of) => delete of('card_issued').body.limits,
    /counts against limits that there are not of card/,
  ],
  [
    'a withdrawal on another day than its transfer',
    (of) => (authorized(of, 'w1').charged = '2030-01-02'),
    /is counted on another day than its transfer/,
  ],
  [
    'a return that gives back nothing of the limits',
    (of) => delete transfer(of, 'w3', 'return').credit_after.used,
    /leaves undefined of the limits of A used; it must be/,
  ],
  [
    'a whole return that keeps the number',
    (of) => (transfer(of, 'w3', 'return').credit_after.used.count = 3),
    /leaves .*"count":3.* of the limits of A used/,
  ],
  [
    'a return in part that gives the number back',
    (of) => (transfer(of, 'w2', 'return').credit_after.used.count = 1),
    /leaves .*"count":1.* of the limits of A used/,
  ],
  [
    'a return that is counted',
    (of) => (transfer(of, 'w3', 'return').charged = '2030-01-01'),
    /is a return that is counted/,
  ],
  [
    'a correction that is not counted',
    (of) => {
      const { debit_after } = transfer(of, 'w3', 'correction')
      delete debit_after.used
      delete transfer(of, 'w3', 'correction').charged
    },
    /is not counted against the limits/,
  ],
  [
    'a card that is given back nothing',
    (of) => delete settled(of, 'w3').card_used,
    /leaves undefined of the limits of card .* used; it must be/,
  ],
  [
    'a card that is given back more',
    (of) => (settled(of, 'w2').card_used.amount = 100),
    /leaves .*"amount":100.* of the limits of card/,
  ],
]

const ofSettlements: readonly Forgery[] = [
  [
    'a start after its time',
    (of) => (of('withdrawal_started').line.at += 60_000),
    /starts T\/w1, whose time was up/,
  ],
  [
    'a start of what was never authorized',
    (of) => (of('withdrawal_started', { withdrawal: 'w1' }).body.withdrawal = 'w9'),
    /starts T\/w9, which is not there/,
  ],
  [
    'more time to confirm',
    (of) => (of('withdrawal_started').body.expires_at += 1),
    /starts T\/w1 until 1893456300001; it must be 1893456300000/,
  ],
  [
    'an expiry before its time',
    (of) => (settled(of, 'w3').by = 'expiry'),
    /settles by expiry with the advice reverse/,
  ],
  [
    'an expiry before its time, without an advice',
    (of) => {
      settled(of, 'w3').by = 'expiry'
      delete settled(of, 'w3').advice
    },
    /lets T\/w3 expire before its time/,
  ],
  [
    'a reversal after its time was up',
    (of) => {
      settled(of, 'w4').by = 'reverse'
      settled(of, 'w4').advice = 'reverse'
    },
    /settles T\/w4 by reverse, whose time was up/,
  ],
  [
    'a suspect of what had not begun',
    (of) => (settled(of, 'w4').state = 'suspect'),
    /makes T\/w4, which is authorized, suspect by expiry/,
  ],
  [
    'an end of what had begun, by its expiry',
    (of) => (settled(of, 'w5').state = 'reversed'),
    /makes T\/w5, which is dispensing, reversed by expiry/,
  ],
  ['an end that has ended', (of) => (settled(of, 'i6', 2).withdrawal = 'w2'), /is not of T\/i6/],
  [
    'an end that has ended, with its transfers',
    (of) => {
      settled(of, 'i6', 2).withdrawal = 'w2'
      transfer(of, 'i6', 'return').operation = 'T/w2'
    },
    /makes T\/w2, which is partially_completed, partially_completed by confirm|of the limits of A used/,
  ],
  [
    'a settlement of what there is not',
    (of) => {
      settled(of, 'w1').withdrawal = 'w0'
      transfer(of, 'w1', 'dispense').operation = 'T/w0'
    },
    /settles T\/w0, which there is not/,
  ],
  [
    'silence that confirms what must be said',
    (of) => {
      authorized(of, 'i6').confirmation = 'explicit'
      authorized(of, 'i6').expires_at = 1893456422000
    },
    /was asked for with another confirmation|expires at/,
  ],
  [
    'a word that is taken for granted',
    (of) => (settled(of, 'w1').mix_assumed = true),
    /takes what left for granted, or not, by confirm/,
  ],
  [
    'a completion that was partial',
    (of) => (settled(of, 'w2').state = 'completed'),
    /makes T\/w2 completed, of which 50 of 60 left/,
  ],
  [
    'a suspect of which something left',
    (of) => (settled(of, 'w5').dispensed = 0),
    /says of a suspect of 60 that 0 left and 60 was debited/,
  ],
  [
    'more that left than was debited',
    (of) => (settled(of, 'w2').debited = 60),
    /says that 50 left, and 60 was debited/,
  ],
  [
    'less that left than the transfers say',
    (of) => {
      settled(of, 'w2').debited = 40
      settled(of, 'w2').dispensed = 40
    },
    /says that account A was debited 40; it was 50/,
  ],
  [
    'more that left than was asked for',
    (of) => (settled(of, 'w1').dispensed = 70),
    /says that 70 left of 60/,
  ],
  [
    'money of one customer that goes to another',
    (of) => {
      const body = transfer(of, 'w3', 'return')
      body.credit = 'B'
      body.credit_after = { ledger: 1060, held: 0, version: 3 }
    },
    /moves money of T\/w3 on account B/,
  ],
  [
    'notes that left and were not posted',
    (of) => (settled(of, 'w1').out = { C1: 1, C3: 2 }),
    /says that notes of 70 left, and posts 60/,
  ],
  [
    'other notes than were planned, in silence',
    (of) => (settled(of, 'i7').out = { C3: 5 }),
    /settles T\/i7 by close with other notes than that can be/,
  ],
  [
    'notes that came back and never left',
    (of) => {
      settled(of, 'i6', 2).back = { C3: 6 }
    },
    /settles T\/i6 by confirm with other notes than that can be/,
  ],
  [
    'notes of units that do not pay out',
    (of) => (settled(of, 'w1').out = { X1: 1 }),
    /names notes of units that do not pay out/,
  ],
  [
    'more notes than there are',
    (of) => (settled(of, 'w2').rejected = { C3: 11 }),
    /takes 11 notes out of C3, where there are 9 for it/,
  ],
  [
    'rejected notes that nobody has a unit for',
    (of) => {
      of('terminal_created').body.units[3].type = 'retract'
      blank(of('reply'))
    },
    /rejects notes where there is no unit for them/,
  ],
  [
    'a resolution that nobody asked for',
    (of) => {
      const record = of('exception_resolved')
      blank(record)
    },
    /resolves no exception of T\/w5, which was settled just before/,
  ],
  [
    'over and short by the word of a machine',
    (of) => {
      const body = transfer(of, 'w1', 'dispense')
      body.type = 'correction'
      body.credit = 'T.over_short'
      body.credit_after = { ledger: 60, held: 0, version: 2 }
    },
    /finds notes over or short by confirm/,
  ],
  [
    'a correction that is a return, and counts nowhere',
    (of) => {
      const body = transfer(of, 'w3', 'correction')
      body.type = 'return'
      delete body.charged
      delete body.debit_after.used
    },
    /moves money of T\/w3 by a return/,
  ],
  [
    'money given back as if it were paid in',
    (of) => {
      const body = transfer(of, 'w1', 'return')
      body.type = 'deposit'
      delete body.credit_after.used
    },
    /moves money of T\/w1 by a deposit/,
  ],
  [
    'a whole return of half the money',
    (of) => {
      const body = transfer(of, 'w3', 'return')
      body.amount = 30
      body.debit_after.ledger = 30
      body.credit_after.ledger = 860
      body.credit_after.used = { day: '2030-01-01', amount: 140, count: 3 }
    },
    /leaves 30 of T\/w3 in transit/,
  ],
  [
    'a forestalled one that was asked for',
    (of) => (of('withdrawal_forestalled').body.withdrawal = 'w1'),
    /names T\/w1, which was used before/,
  ],
  [
    'a reversal that knows of an amount',
    (of) => (of('withdrawal_forestalled').body.amount = 10),
    /forestalls 10, of which nothing is known/,
  ],
  [
    'an advice of what is under way',
    (of) => (of('withdrawal_advised').body.withdrawal = 'w77'),
    /advises of T\/w77, which has not ended/,
  ],
]

const ofCards: readonly Forgery[] = [
  ['two tries at once', (of) => (of('card_changed').body.tries_left = 1), /leaves card .* 1 tries; it had 3/],
  [
    'a try that comes back',
    (of) => (of('card_changed', {}, 2).body.tries_left = 2),
    /leaves card .* 2 tries; it had 2/,
  ],
  [
    'a card that is unblocked for no reason',
    (of) => delete of('card_changed', { status: 'active' }).body.reason,
    /makes card .* active for no reason/,
  ],
  [
    'a card that was stolen and is not',
    (of) => (of('card_changed', { status: 'blocked' }).body.status = 'stolen'),
    /makes card .* active, which is stolen for good/,
  ],
  [
    'a card that there is',
    (of) => (of('card_issued', {}, 2).body.card = K),
    /issues card .*, which there is/,
  ],
  [
    'a card for an account of a terminal',
    (of) => (of('card_issued').body.accounts[0].account = 'T.cash'),
    /for account T\.cash, which is no customer's/,
  ],
  [
    'a card that was never issued',
    (of) => (of('card_changed').body.card = cardIdOf('N')),
    /changes card .*, which was never issued/,
  ],
  [
    'a PIN that was not changed',
    (of) => blank(of('card_changed', {}, 3)),
    /changes the PIN of .*, which the record before it does not say/,
  ],
]

const ofCash: readonly Forgery[] = [
  [
    'notes that were not paid in',
    (of) => (of('operation_done').body.notes = { 50: 3 }),
    /pays in 100 by notes that are worth 150/,
  ],
  [
    'notes in a unit that pays out',
    (of) => (of('operation_done').body.unit = 'C1'),
    /pays in to unit C1, which does not take notes/,
  ],
  [
    'a deposit twice',
    (of) => {
      of('operation_done', { operation: 'p2' }).body.operation = 'p1'
      transfer(of, 'p2', 'deposit').operation = 'T/p1'
    },
    /names T\/p1, which was used before/,
  ],
  [
    'a deposit that was never made, reversed with money',
    (of) => {
      of('operation_reversed').body.operation = 'p0'
      transfer(of, 'p1', 'return').operation = 'T/p0'
    },
    /reverses T\/p0, which is nothing that can be/,
  ],
  [
    'a deposit that was made, and forestalled',
    (of) => (of('operation_reversed', { operation: 'p3' }).body.operation = 'p2'),
    /says that T\/p2 was never made, which it was/,
  ],
  [
    'counted notes that were not counted',
    (of) => delete of('operation_reversed', { operation: 'p2' }).body.counted,
    /says of the notes of T\/p2 that they were counted, or not/,
  ],
  [
    'a count of what is not there',
    (of) => (of('exchange_counted').body.counts.C9 = 1),
    /counts unit C9 as what it is not/,
  ],
  [
    'a count that leaves out a unit',
    (of) => delete of('exchange_counted', {}, 2).body.counts.R1,
    /does not count unit R1, which holds notes/,
  ],
  [
    'a count of one note more',
    (of) => (of('exchange_counted', {}, 2).body.counts.C1 = 6),
    /answers otherwise than was counted/,
  ],
  [
    'a count of one note more, that is answered so',
    (of) => {
      of('exchange_counted', {}, 2).body.counts.C1 = 6
      const { reply } = of('reply', { key: 'k6' }).body
      Object.assign(reply.units.C1, { counted: 6, variance: 1, amount: 50 })
      reply.amount = 60
    },
    /ends exchange x_1-[0-9]+ with a variance of 80; it must be 130/,
  ],
  [
    'more that is loaded than was taken from the vault',
    (of) => (of('exchange_ended').body.loaded.C1 = 11),
    /with a load of 600; it must be 650/,
  ],
  [
    'an exchange that only adds',
    (of) => (of('exchange_ended', {}, 2).body.mode = 'add'),
    /ends exchange x_1-[0-9]+ with a variance of 80; it must be 0/,
  ],
  [
    'an exchange that was not counted',
    (of) => blank(of('exchange_counted')),
    /ends exchange x_1-9 without a count/,
  ],
  [
    'an exchange of another name',
    (of) => (of('exchange_started').body.exchange = 'x_1-8'),
    /starts exchange x_1-8, which is not its name/,
  ],
  [
    'an exchange that never began',
    (of) => blank(of('exchange_started')),
    /counts in exchange x_1-9, which is not open/,
  ],
  [
    'a batch out of its order',
    (of) => (of('batch_closed', {}, 2).body.report.batch = 3),
    /closes batch 3 with batch 3; it must be 2/,
  ],
  [
    'a batch with one withdrawal less',
    (of) => (of('batch_closed').body.report.withdrawals.count = 7),
    /closes batch 1 with withdrawals .*; it must be/,
  ],
  [
    'a batch without its reversals',
    (of) => (of('batch_closed').body.report.withdrawal_reversals = { count: 0, amount: 0 }),
    /closes batch 1 with withdrawal_reversals/,
  ],
  [
    'a batch with another net',
    (of) => (of('batch_closed').body.report.net = 250),
    /with net 250; it must be -250/,
  ],
  [
    'a batch that carries nothing over',
    (of) => (of('batch_closed').body.report.open = []),
    /closes batch 1 with open \[\]; it must be/,
  ],
  [
    'a batch with more cash',
    (of) => (of('batch_closed').body.report.cash = 361),
    /with cash 361; it must be 360/,
  ],
  [
    'a batch with nothing in transit',
    (of) => (of('batch_closed').body.report.transit = 0),
    /with transit 0; it must be 10/,
  ],
  [
    'a batch that is over',
    (of) => (of('batch_closed', {}, 2).body.report.over_short = 0),
    /with over_short 0; it must be 100/,
  ],
  [
    'a batch on another block',
    (of) => (of('batch_closed').body.report.head.block = 1),
    /closes its batch on block 1-1, which is not the one before/,
  ],
  [
    'a batch on a block of another hash',
    (of) => (of('batch_closed').body.report.head.hash = '0'.repeat(64)),
    /closes its batch on block 1-31, which is not the one before/,
  ],
  [
    'a batch that silence has not confirmed',
    (of) => {
      blank(of('transfer', { operation: 'T/i7', type: 'dispense' }))
      blank(of('withdrawal_settled', { withdrawal: 'i7' }))
    },
    /closes batch 1, where silence has not confirmed i7/,
  ],
]

const ofExceptions: readonly Forgery[] = [
  [
    'another name than its own',
    (of) => (of('exception_opened').body.exception = 'exc_0o5ub13bk-1-1'),
    /opens exc_0o5ub13bk-1-1, which is not its name/,
  ],
  [
    'a suspect over more',
    (of) => (of('exception_opened').body.amount = 61),
    /opens suspect of T\/w5 over 61, and proposes undefined/,
  ],
  [
    'a suspect that nobody is told of',
    (of) => {
      for (const record of [
        of('exception_opened'),
        of('transfer', { operation: 'T/w5', type: 'dispense' }),
        of('transfer', { operation: 'T/w5', type: 'return' }),
        of('withdrawal_settled', { withdrawal: 'w5', by: 'resolution' }),
        of('exception_resolved'),
      ])
        blank(record)
    },
    /leaves the suspect T\/w5 without an exception/,
  ],
  [
    'a suspect of what has ended',
    (of) => (of('exception_opened', { type: 'late_reversal' }).body.type = 'suspect'),
    /opens suspect of T\/i7, which is reversed/,
  ],
  [
    'one about another withdrawal than was spoken of',
    (of) => (of('exception_opened', { type: 'late_reversal' }).body.withdrawal = 'w3'),
    /opens late_reversal of T\/w3, of which nothing was said just before/,
  ],
  [
    'one about another account',
    (of) => (of('exception_opened').body.account = 'B'),
    /opens suspect of T\/w5 on another account/,
  ],
  [
    'a proposal that the advice did not make',
    (of) => (of('exception_opened', { type: 'confirm_after_reversal' }).body.proposal.dispensed = 50),
    /opens confirm_after_reversal of T\/w3 over 60, and proposes 50/,
  ],
  [
    'an unknown advice over another amount',
    (of) => (of('exception_opened', { type: 'unknown_advice' }).body.amount = 60),
    /does not tell of 50 of T\/f2, which was not asked for/,
  ],
  [
    'one of no withdrawal that is of one',
    (of) => delete of('exception_opened', { type: 'late_reversal' }).body.withdrawal,
    /opens late_reversal of no withdrawal/,
  ],
  [
    'one that is resolved twice',
    (of) => {
      const first = of('exception_resolved', {}, 1).body
      of('exception_resolved', {}, 2).body.exception = first.exception
    },
    /resolves no exception of T\/i7|speaks of/,
  ],
  [
    'what was settled by nobody',
    (of) => (of('exception_resolved', {}, 3).body.exception = 'exc_0o5ub13bk-1-46'),
    /resolves no exception of T\/w8, which was settled just before/,
  ],
  [
    'one that is resolved otherwise than it was settled',
    (of) => (of('exception_resolved').body.word.dispensed = 30),
    /resolves exc_0o5ub13bk-1-46 otherwise than it was settled just before/,
  ],
  [
    'one that is resolved by other transfers',
    (of) => (of('exception_resolved').body.transfers = []),
    /resolves exc_0o5ub13bk-1-46 otherwise than it was settled just before/,
  ],
  [
    'the word of somebody else',
    (of) => (of('exception_resolved').body.word.by = 'eve'),
    /is the word of eve, by /,
  ],
  [
    'the word of one for that of two',
    (of) => {
      const record = of('exception_resolved', {}, 7)
      record.body.word.by = 'ann'
      record.line.actor = 'ann'
    },
    /resolves exc_.* by the word of one, where it waits for two/,
  ],
  [
    'the word of one person for that of two',
    (of) => (of('exception_resolved', {}, 7).body.word.person = 'ann'),
    /by the word of one, where it waits for two/,
  ],
  [
    'a machine that speaks in the name of a person',
    (of) => (of('exception_resolved', {}, 3).body.word.person = 'ann'),
    /in the name of ann, who was not asked/,
  ],
  [
    'cash of what no customer is known of',
    (of) => (of('exception_resolved', {}, 4).body.word.dispensed = 50),
    /says of exc_.* that 50 left/,
  ],
  [
    'one that waits for what was never opened',
    (of) => (of('exception_waits').body.exception = 'exc_000000000-1-1'),
    /speaks of exc_000000000-1-1, which is no exception that is open/,
  ],
  [
    'one that waits for more than was asked for',
    (of) => (of('exception_waits').body.word.dispensed = 101),
    /that 101 left of 100/,
  ],
]

const ofReplies: readonly Forgery[] = [
  [
    'a terminal in another state',
    (of) => (of('reply', { key: 'k1' }).body.reply.entity.state = 'out_of_service'),
    /answers otherwise than terminal T is/,
  ],
  [
    'a terminal with more notes',
    (of) => (of('reply', { key: 'k1' }).body.reply.entity.units[0].initial = 11),
    /answers otherwise than terminal T is/,
  ],
  [
    'a terminal that there is not',
    (of) => (of('reply', { key: 'k1' }).body.reply.entity.id = 'X'),
    /answers otherwise than terminal X is/,
  ],
  [
    'another balance',
    (of) => (of('reply', { key: 'k2' }).body.reply.available = 999),
    /answers otherwise than account A is/,
  ],
  [
    'another report',
    (of) => (of('reply', { key: 'k3' }).body.reply.entity.net = 0),
    /answers otherwise than batch {2}is/,
  ],
  [
    'an exception that is still open',
    (of) => (of('reply', { key: 'k4' }).body.reply.entity.state = 'open'),
    /answers otherwise than exception exc_.* is/,
  ],
  [
    'an exchange without its suspects',
    (of) => (of('reply', { key: 'k5' }).body.reply.suspects = []),
    /answers otherwise than exchange x_1-[0-9]+ is/,
  ],
  [
    'another variance of a unit',
    (of) => (of('reply', { key: 'k6' }).body.reply.units.C3.variance = 0),
    /answers otherwise than was counted/,
  ],
  [
    'another variance of all',
    (of) => (of('reply', { key: 'k7' }).body.reply.variance = -80),
    /answers otherwise than the exchange ended/,
  ],
]

const ofTheRest: readonly Forgery[] = [
  ['a demo that never was', (of) => blank(of('demo_opened')), /ends the demo, which is not open/],
  [
    'a demo that is opened again',
    (of) => {
      const record = of('demo_ended')
      record.line.kind = 'demo_opened'
      record.body = { terminal: 'T', cards: [] }
    },
    /opens the demo again/,
  ],
  ['keys by no values', (of) => (of('keys_known').body.values = { pin: 1 }), /by what are no check values/],
  [
    'a reversal of what is taken back at the terminal alone',
    (of) => {
      const { body } = of('transfer', { operation: 'T/s1' })
      const record = of('operation_reversed', { operation: 'p3' })
      record.line.kind = 'transfer'
      record.body = {
        type: 'reversal',
        debit: 'B',
        credit: 'A',
        amount: 30,
        currency: 'USD',
        debit_after: { ledger: 1000, held: 0, version: 6 },
        credit_after: { ledger: body.debit_after.ledger + 30, held: 0, version: 24 },
        key: null,
        reverses: '1-110',
      }
    },
    /reverses 1-110, which is taken back through T\/s1 alone/,
  ],
  [
    'an account that is closed while a withdrawal is open',
    (of) => {
      const record = of('withdrawal_started', { withdrawal: 'w1' })
      record.line.kind = 'account_changed'
      record.body = {
        account: 'A',
        state: 'closed',
        reason: 'r',
        after: { ledger: 0, held: 0, version: 4 },
      }
    },
    /closes account A, whose withdrawal T\/w1 is open/,
  ],
]

test('the honest journal proves', () => {
  assertProven(honest)
  assertProven(forgedBy(honest, () => {}))
})

for (const [theme, forgeries] of Object.entries({
  ofTransfers,
  ofTerminals,
  ofAuthorizations,
  ofLimits,
  ofSettlements,
  ofCards,
  ofCash,
  ofExceptions,
  ofReplies,
  ofTheRest,
}))
  for (const [name, forge, what] of forgeries)
    test(`${theme}: ${name} is named`, () => {
      const found = prove(forgedBy(honest, forge))
      assert('what' in found, 'the books must not prove')
      assert.match(found.what, what)
    })
