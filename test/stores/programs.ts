/**
 * Random programs on every store, against a model too plain to be wrong: balances as BigInt in a Map, replies by
 * key in another. A failure prints the seed and the shortest program that still fails.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { systemClock } from '../../src/bank/clock.ts'
import type { Store } from '../../src/bank/store.ts'
import type { Deposit, Key, Outcome, Withdraw } from '../../src/ledger/command.ts'
import { pending } from '../support/commands.ts'
import { assertProven, journalOf } from '../support/journal.ts'
import type { Place } from '../support/stores.ts'

type Step = { readonly command: Deposit | Withdraw; readonly key?: Key; readonly late: boolean }
/** Batches, and moments at which the store is closed and opened again. */
type Program = readonly (readonly Step[] | 'restart')[]

/** An outcome without its instant, which is the store's own. */
type Expected = Readonly<Record<string, unknown>>

const decimals: Record<string, number> = { JPY: 0, USD: 2 }
const most = 2n ** 53n - 1n

class Model {
  readonly accounts = new Map<string, { currency: string; ledger: bigint; version: number }>()
  readonly replies = new Map<string, { step: Step; reply: Expected }>()
  sequence = 0

  answer(step: Step): Expected {
    if (step.late) return { refusal: 'account_busy', replayed: false }
    if (step.key === undefined) return { ...this.decide(step.command), replayed: false }

    const page = JSON.stringify(step.key)
    const stored = this.replies.get(page)
    if (stored !== undefined) {
      const same = JSON.stringify(stored.step.command) === JSON.stringify(step.command)
      return same ? { ...stored.reply, replayed: true } : { refusal: 'idempotency_conflict', replayed: false }
    }
    const reply = this.decide(step.command)
    if (!String(reply['refusal']).startsWith('amount_')) {
      this.replies.set(page, { step, reply })
      this.sequence += 1
    }
    return { ...reply, replayed: false }
  }

  decide(command: Step['command']): Expected {
    const found = this.accounts.get(command.account)
    if (found === undefined && command.type === 'withdraw') return { refusal: 'account_not_found' }
    const currency = found?.currency ?? (command.type === 'deposit' ? command.open : '')
    const [whole = '', fraction = ''] = command.amount.split('.')
    const places = decimals[currency] ?? 0
    if (fraction.length > places) return { refusal: 'amount_invalid' }
    const amount = BigInt(whole + fraction.padEnd(places, '0'))
    if (amount > most) return { refusal: 'amount_too_large' }

    const ledger = (found?.ledger ?? 0n) + (command.type === 'deposit' ? amount : -amount)
    if (ledger < 0n) return { refusal: 'insufficient_funds' }
    if (ledger > most) return { refusal: 'balance_too_large' }
    const opened = found === undefined
    this.sequence += opened ? 2 : 1
    const version = opened ? 2 : found.version + 1
    this.accounts.set(command.account, { currency, ledger, version })
    const { account } = command
    return { transfer: `1-${this.sequence}`, account, currency, amount, ledger, version, opened }
  }
}

function plain({ reply, replayed }: Outcome): Expected {
  if (reply.type === 'refused') return { refusal: reply.refusal, replayed }
  assert(reply.type === 'posted', 'a deposit or withdrawal is posted or refused')
  const { transfer, account, currency, amount, ledger, version, opened } = reply
  return {
    transfer,
    account,
    currency,
    amount: BigInt(amount),
    ledger: BigInt(ledger),
    version,
    opened,
    replayed,
  }
}

const amounts = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 1, max: 30 }).map(String) },
  { weight: 3, arbitrary: fc.constantFrom('0.01', '0.5', '9.99', '10.01') },
  { weight: 1, arbitrary: fc.constantFrom('0.001', '1.005') },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      '90071992547409.91',
      '90071992547409.92',
      '9007199254740991',
      '9007199254740992',
    ),
  },
)
const keys = fc.record({ scope: fc.constantFrom('', 's'), key: fc.constantFrom('k', 'l', 'm') })
const steps: fc.Arbitrary<Step> = fc
  .record({
    type: fc.constantFrom('deposit', 'withdraw'),
    account: fc.constantFrom('a', 'A', '7', '007'),
    amount: amounts,
    open: fc.constantFrom('USD', 'USD', 'JPY'),
    key: fc.option(keys, { nil: undefined, freq: 2 }),
    late: fc.integer({ min: 0, max: 19 }).map((chance) => chance === 0),
  })
  .map(({ type, account, amount, open, key, late }) => ({
    command: type === 'deposit' ? { type, account, amount, open } : { type: 'withdraw', account, amount },
    ...(key && { key }),
    late,
  }))
// Repeats of what was sent before are what clients do when they heard nothing.
const batches = fc
  .array(fc.tuple(steps, fc.boolean()), { minLength: 1, maxLength: 12 })
  .map((pairs) => pairs.flatMap(([step, repeated]) => (repeated ? [step, step] : [step])))
const programs: fc.Arbitrary<Program> = fc.array(
  fc.oneof({ weight: 5, arbitrary: batches }, { weight: 1, arbitrary: fc.constant('restart' as const) }),
  { minLength: 1, maxLength: 12 },
)

async function run(program: Program, place: Place): Promise<void> {
  const model = new Model()
  let store = await place.open()
  try {
    for (const batch of program) {
      if (batch === 'restart') {
        if (!place.keeps) continue
        await store.close()
        store = await place.open()
      } else {
        const deadlineMs = systemClock.monotonicMs()
        const outcomes = await store.commit(
          batch.map(({ command, key, late }) =>
            pending(command, { ...(key && { key }), deadlineMs: deadlineMs + (late ? -1 : 10_000) }),
          ),
        )
        assert.deepEqual(
          outcomes.map(plain),
          batch.map((step) => model.answer(step)),
        )
      }
      await checkBooks(store, model)
    }
    await checkKeys(store, model)
    await checkJournal(store, model)
  } finally {
    await store.close()
  }
}

async function checkBooks(store: Store, model: Model): Promise<void> {
  const { total, pieces } = await store.accounts({})
  const accounts = (await Array.fromAsync(pieces)).flat()
  const expected = [...model.accounts].sort(([a], [b]) => (a < b ? -1 : 1))
  assert.deepEqual(
    accounts.map(({ number, currency, ledger, version }) => [
      number,
      { currency, ledger: BigInt(ledger), version },
    ]),
    expected,
  )
  assert.equal(total, expected.length)
  for (const account of accounts) {
    assert(account.ledger >= 0 && account.held === 0, 'no balance is below zero')
    assert.deepEqual({ ...(await store.account(account.number)) }, { ...account })
  }
}

/** Every key has one reply, whoever asks again and whenever. */
async function checkKeys(store: Store, model: Model): Promise<void> {
  for (const { step, reply } of model.replies.values()) {
    const again = await store.commit([pending(step.command, step.key && { key: step.key })])
    assert.deepEqual(again.map(plain), [{ ...reply, replayed: true }])
  }
}

async function checkJournal(store: Store, model: Model): Promise<void> {
  const { records, accounts, sums } = assertProven(await journalOf(store))
  assert.deepEqual([records, accounts], [model.sequence, model.accounts.size])
  for (const { currency, customers, terminals, house } of sums) {
    const owned = [...model.accounts.values()].filter((account) => account.currency === currency)
    assert.equal(
      customers,
      owned.reduce((sum, { ledger }) => sum + ledger, 0n),
    )
    assert.equal(customers + terminals + house, 0n)
  }
}

/** Tests that a store answers random programs as the model says, so many of them. */
export function testPrograms(name: string, newPlace: () => Place, numRuns: number): void {
  test(`${name}: any program is answered as the model says, and its books are the model's`, async () => {
    const property = fc.asyncProperty(programs, async (program) => {
      const place = newPlace()
      try {
        await run(program, place)
      } finally {
        place.remove()
      }
    })
    await fc.assert(property, { numRuns })
  })
}
