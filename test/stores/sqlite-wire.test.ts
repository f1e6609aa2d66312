/** Whatever goes between the threads of the embedded store arrives as it was sent. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Pending } from '../../src/bank/store.ts'
import { type Outcome, refuse } from '../../src/ledger/command.ts'
import { flattenBatch, flattenOutcomes, readBatch, readOutcomes } from '../../src/stores/sqlite/wire.ts'

const text = fc.string({ maxLength: 12 })
const plain = { noNullPrototype: true }
const whole = fc.maxSafeInteger()

const command = fc.oneof(
  { weight: 4, arbitrary: fc.record({ type: fc.constant('withdraw'), account: text, amount: text }, plain) },
  fc.record({ type: fc.constant('deposit'), account: text, amount: text, open: text }, plain),
)
const pending = fc.record(
  {
    command,
    actor: text,
    deadlineMs: fc.double({ noNaN: true }),
    key: fc.record({ scope: text, key: text }, plain),
    fresh: text,
    new_pin: fc.constant({ card: 'offset' }),
  },
  { ...plain, requiredKeys: ['command', 'actor', 'deadlineMs'] },
) as fc.Arbitrary<Pending>

const posted = fc.record(
  {
    type: fc.constant('posted'),
    transfer: text,
    account: text,
    currency: text,
    amount: whole,
    ledger: whole,
    held: whole,
    version: whole,
    at: whole,
    opened: fc.boolean(),
  },
  plain,
)
const outcome = fc.record(
  {
    reply: fc.oneof(
      { weight: 4, arbitrary: posted },
      fc.constant(refuse('insufficient_funds')),
      fc.constant({ type: 'books_opened', accounts: [] }),
    ),
    replayed: fc.boolean(),
  },
  plain,
) as fc.Arbitrary<Outcome>

test('a batch arrives as it was sent', () => {
  fc.assert(
    fc.property(fc.array(pending), (batch) => {
      assert.deepEqual(readBatch(structuredClone(flattenBatch(batch))), batch)
    }),
  )
})

test('outcomes arrive as they were sent', () => {
  fc.assert(
    fc.property(fc.array(outcome), (outcomes) => {
      assert.deepEqual(readOutcomes(structuredClone(flattenOutcomes(outcomes))), outcomes)
    }),
  )
})
