/** What proves messages: forged numbers, advices and closes, sealed again, so that only their sense is wrong. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertProven, type Body, prove } from '../support/journal.ts'
import { sayReply } from '../support/v1-words.ts'
import { blank, forgedBy, type Records } from './verify-atm-forge.ts'
import { Journal } from './verify-atm-random.ts'

const story = `
terminal T C1:50 C3:10 D1:in
exchange T as=x
end T x add C1=10 C3=10
service T on
card K A policy=if_present
card L B policy=if_present
authorize T i1 K 60 implicit stan=000001 local=1123010000 sent=1123000000 rrn=R1
authorize T i2 K 10 implicit stan=000002 local=1123010001
advise T a1 000003 sent=1123000003 nothing
advise T a2 000004 card=K amount=60 C1=1 C3=1
resolve e dispensed=60
advise T a3 000001 local=1123010000 card=L nothing
feed T d1 card=K 20:1 stan=000006 local=1123010006
close T 1 stan=000007 told=withdrawals:2:71
authorize T i3 K 10 implicit stan=000002 local=1123010002 sent=1123000002
authorize T i4 K 10 implicit stan=000008 sent=1123000030 again
authorize T i5 K 10 implicit stan=000008 sent=1123000031
advise T a4 REF4 000010 rrn=REF4 card=K asked=10 of=withdrawal nothing
authorize T i6 K 20 implicit stan=000011 rrn=REF4
authorize T i7 K 10 implicit stan=000012 rrn=REF4
`

function storyJournal(): Journal {
  const journal = new Journal()
  for (const number of ['A', 'B'])
    journal.command({
      type: 'open_account',
      number,
      currency: 'USD',
      overdraft_limit: 0,
      minimum_balance: 0,
      metadata: {},
    })
  journal.command({ type: 'move', from: null, to: 'A', amount: 500, currency: 'USD' })
  for (const line of story.trim().split('\n')) {
    const [open] = journal.books.waiting('exception/')
    if (open?.kind === 'exception') journal.ids.set('e', open.id)
    const { reply } = journal.step(line.replace(' as=x', ''))
    assert(reply.type !== 'refused' || line.includes(' i7 '), `${line}: ${sayReply(reply)}`)
    if (reply.type === 'exchange_open') journal.ids.set('x', reply.exchange)
  }
  journal.command({ type: 'close_batch', terminal: 'T', batch: 2, currency: 'EUR' })
  return journal
}

const honest = storyJournal().entries

const authorized = (of: Records, withdrawal: string) => of('withdrawal_authorized', { withdrawal }).body

const declined = (of: Records) => of('withdrawal_declined', { withdrawal: 'i7' }).body

const byReference = (of: Records) =>
  of('withdrawal_forestalled', { withdrawal: 'iso-2-000010' }).body['by_reference'] as Body

const forgeries: readonly (readonly [string, (of: Records) => void, RegExp])[] = [
  [
    'a number that was used at the same time',
    (of) => Object.assign(authorized(of, 'i2'), { stan: '000001', local: '1123010000' }),
    /is STAN 000001 of 1123010000, which was done before/,
  ],
  [
    'a deposit of a withdrawal’s number',
    (of) => Object.assign(of('operation_done').body, { stan: '000001', local: '1123010000' }),
    /is STAN 000001 of 1123010000, which was done before/,
  ],
  [
    'what was taken back before it came',
    (of) => Object.assign(authorized(of, 'i3'), { stan: '000003', sent: '1123000003' }),
    /is STAN 000003 of .*, which was taken back before/,
  ],
  [
    'what a repeat did before it came',
    (of) => (authorized(of, 'i5').sent = '1123000029'),
    /is STAN 000008 of 1123000029, which was done before/,
  ],
  ['a repeat that is half one', (of) => (authorized(of, 'i4').again = false), /was said again: false/],
  ['a repeat of no number', (of) => delete authorized(of, 'i4').stan, /was said again, and has no number/],
  [
    'what was taken back before it came, by its reference',
    (of) => (byReference(of).amount = 20),
    /does what T\/iso-2-000010 took back before, by its reference REF4/,
  ],
  [
    'a no to what was not taken back',
    (of) => (byReference(of).amount = 30),
    /declines what T\/iso-2-000010 was not meant for/,
  ],
  [
    'a no to what comes by another reference',
    (of) => (declined(of).rrn = 'REF5'),
    /declines what T\/iso-2-000010 was not meant for/,
  ],
  [
    'a no that does not say what was taken back',
    (of) => delete declined(of).forestalled_by,
    /declines with already_reversed what was forestalled by undefined/,
  ],
  [
    'a no for another reason',
    (of) => (declined(of).code = 'insufficient_funds'),
    /declines with insufficient_funds what was forestalled by iso-2-000010/,
  ],
  [
    'what was taken back by a reference that it has not',
    (of) => delete of('withdrawal_forestalled', { withdrawal: 'iso-2-000010' }).body.rrn,
    /forestalls T\/iso-2-000010 by a reference that it has not/,
  ],
  [
    'what was taken back of a card that there is not',
    (of) => (byReference(of).card = 'card_0'),
    /forestalls T\/iso-2-000010 as what there cannot be/,
  ],
  ['a number that is none', (of) => (authorized(of, 'i1').stan = '1'), /has the STAN "1", which is none/],
  ['a reference that is too long', (of) => (authorized(of, 'i1').rrn = 'R'.repeat(13)), /has the RRN/],
  ['a time that is none', (of) => (authorized(of, 'i1').local = '1123'), /was sent at 1123 and/],
  [
    'an advice on the money of another',
    (of) => (of('withdrawal_forestalled', { withdrawal: 'iso-1-000004' }).body.account = 'B'),
    /is of account B by card card_[0-9a-f]+, which cannot be/,
  ],
  [
    'an advice on the money of a card that there is not',
    (of) => delete of('withdrawal_forestalled', { withdrawal: 'iso-1-000004' }).body.card,
    /is of account A by card undefined, which cannot be/,
  ],
  [
    'an advice that nobody is told of',
    (of) => blank(of('exception_opened', { type: 'unknown_advice' })),
    /does not tell of 60 of T\/iso-1-000004/,
  ],
  [
    'a close out of balance that nobody is told of',
    (of) => blank(of('exception_opened', { type: 'out_of_balance' })),
    /does not tell that batch 1 is out of balance/,
  ],
  [
    'a close in another currency that nobody is told of',
    (of) => blank(of('exception_opened', { type: 'out_of_balance' }, 2)),
    /does not tell that batch 2 is out of balance/,
  ],
  [
    'a close in another currency that is its own',
    (of) => (of('batch_closed', {}, 2).body.told_in = 'USD'),
    /closes batch 2, counted in USD, which is no other currency/,
  ],
  [
    'a close out of balance by another amount',
    (of) => (of('exception_opened', { type: 'out_of_balance' }).body.amount = 2),
    /does not tell that batch 1 is out of balance/,
  ],
]

test('the honest journal proves', () => {
  assertProven(honest)
  assertProven(forgedBy(honest, () => {}))
})

for (const [name, forge, what] of forgeries)
  test(`${name} is named`, () => {
    const found = prove(forgedBy(honest, forge))
    assert('what' in found, 'the books must not prove')
    assert.match(found.what, what)
  })
