// The checker against one that simply tries every order; what it accepts, what it shows, and how it gives up.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { check, type Model, type Timed, UndecidedError } from '../../src/torture/linearizable.ts'
import { type Chance, prng, seed } from '../support/chance.ts'
import { times } from '../support/profile.ts'

/** An account with a balance: what is answered is the balance after it, or a no, or nothing that tells. */
type Op =
  | { readonly type: 'read'; readonly said: number }
  | { readonly type: 'deposit' | 'withdraw'; readonly amount: number; readonly said?: number | 'no' }

const account: Model<number, Op> = {
  initial: 0,
  step(balance, op) {
    if (op.type === 'read') return op.said === balance ? balance : undefined
    const after = op.type === 'deposit' ? balance + op.amount : balance - op.amount
    if (op.said === 'no') return after < 0 ? balance : undefined
    if (after < 0) return op.said === undefined ? balance : undefined
    return op.said === undefined || op.said === after ? after : undefined
  },
  keyOf: String,
  changesNothing: (op) => op.type === 'read' || op.said === 'no',
}

// A model that says nothing about what changes nothing is searched in full.
const { changesNothing: _, ...plain } = account

/** Every order of every choice of unanswered operations, by the definition. */
function isLinearizable(history: readonly Timed<Op>[], states = [account.initial]): boolean {
  const tryAll = (state: number, rest: readonly Timed<Op>[]): boolean => {
    if (rest.every(({ returned }) => returned === Number.POSITIVE_INFINITY)) return true
    return rest.some((timed) => {
      if (rest.some((other) => other !== timed && other.returned < timed.invoked)) return false
      const next = account.step(state, timed.op)
      return (
        next !== undefined &&
        tryAll(
          next,
          rest.filter((other) => other !== timed),
        )
      )
    })
  }
  return states.some((state) => tryAll(state, history))
}

const instants = fc.tuple(fc.nat(12), fc.nat(6), fc.nat(5)).map(([invoked, lasts, lost]) => ({
  invoked,
  returned: lost === 0 ? Number.POSITIVE_INFINITY : invoked + lasts,
}))

const said = fc.oneof(fc.constant(undefined), fc.constant('no' as const), fc.nat(5))

const op: fc.Arbitrary<Op> = fc.oneof(
  fc.record({ type: fc.constant('read' as const), said: fc.nat(5) }),
  fc.record({
    type: fc.constantFrom('deposit' as const, 'withdraw' as const),
    amount: fc.integer({ min: 1, max: 3 }),
    said,
  }) as fc.Arbitrary<Op>,
)

const histories = fc.array(
  fc.tuple(op, instants).map(([op, when]): Timed<Op> => ({ op, ...when })),
  { maxLength: 6 },
)

/** As things stood when the answer came that no order explains. */
function asOf({ history, last }: { history: readonly Timed<Op>[]; last: Timed<Op> }): Timed<Op>[] {
  return history.map((timed) =>
    timed.returned > last.returned ? { ...timed, returned: Number.POSITIVE_INFINITY } : timed,
  )
}

test(`agrees with trying every order, on histories of any kind (SEED=${seed})`, (t) => {
  let wrong = 0
  let cut = 0
  const property = fc.property(histories, (history) => {
    const found = check(account, history)
    assert.equal(found === undefined, isLinearizable(history))
    assert.equal(check(plain, history) === undefined, found === undefined)
    if (found === undefined) return
    wrong += 1
    if (found.history.length < history.length) cut += 1
    // What is shown is a violation by itself, and only with its last answer.
    assert.ok(found.history.includes(found.last))
    const states = found.states.map(Number)
    assert.ok(!isLinearizable(asOf(found), states))
    const before = history.filter(({ returned }) => returned < found.last.returned)
    const under = history
      .filter(({ invoked, returned }) => returned >= found.last.returned && invoked <= found.last.returned)
      .map((timed) => ({ ...timed, returned: Number.POSITIVE_INFINITY }))
    assert.ok(isLinearizable([...before, ...under]), 'what came before the last answer has an order')
  })
  fc.assert(property, { seed, numRuns: times(4_000, 60_000) })
  t.diagnostic(`${wrong} histories without an order, ${cut} shown shorter`)
  assert.ok(wrong > 500 && cut > 100, `${wrong} wrong, ${cut} cut`)
})

/** What clients of a real account see: each operation is done at an instant of its own, between sent and answered. */
function realHistory(chance: Chance, length: number, { clients = 6, lost = 20 } = {}): Timed<Op>[] {
  const history: Timed<Op>[] = []
  const busyUntil = Array.from({ length: clients }, () => 0)
  let balance = 0
  for (let at = 10; history.length < length; at += 1 + chance(4)) {
    const client = chance(clients)
    if ((busyUntil[client] ?? 0) >= at) continue
    const invoked = Math.max((busyUntil[client] ?? 0) + 1, at - chance(12))
    const returned = at + chance(12)
    busyUntil[client] = returned
    const type = (['read', 'deposit', 'withdraw'] as const)[chance(3)] ?? 'read'
    const amount = 1 + chance(9)
    const isUnknown = chance(lost) === 0
    const isNo = type === 'withdraw' && amount > balance
    const isDone = !isUnknown || chance(2) === 0
    if (isDone && type === 'deposit') balance += amount
    if (isDone && type === 'withdraw' && !isNo) balance -= amount
    const when = { invoked, returned: isUnknown ? Number.POSITIVE_INFINITY : returned }
    if (type === 'read') history.push({ op: { type, said: balance }, ...when })
    else history.push({ op: { type, amount, ...(!isUnknown && { said: isNo ? 'no' : balance }) }, ...when })
  }
  return history
}

test(`what really happened is always accepted (SEED=${seed})`, () => {
  const chance = prng(seed)
  for (let round = 0; round < times(300, 5_000); round += 1) {
    const history = realHistory(chance, 1 + chance(60))
    assert.equal(check(account, history), undefined, JSON.stringify(history))
    assert.equal(check(plain, history), undefined, JSON.stringify(history))
  }
})

test(`one wrong answer in a real history is found, and shown as a handful (SEED=${seed})`, () => {
  const chance = prng(seed + 1)
  let shown = 0
  const rounds = times(100, 1_000)
  for (let round = 0; round < rounds; round += 1) {
    const history = realHistory(chance, 400, { clients: 3, lost: 1_000_000 })
    const at = 100 + chance(200)
    const { op, ...when } = history[at] as Timed<Op>
    // Far beyond what any order of what overlaps could make of it.
    const wrong = { op: { ...op, said: 1_000_000 } as Op, ...when }
    const found = check(account, history.with(at, wrong))
    assert.ok(found)
    assert.ok(found.history.includes(wrong))
    // What moved money is missed as soon as another answer has to stand on it, which may be before its own.
    assert.ok(found.last.returned <= wrong.returned)
    shown += found.history.length
  }
  assert.ok(shown / rounds < 20, `${shown / rounds} operations shown on average`)
})

const inOrder = (...ops: readonly Op[]): Timed<Op>[] =>
  ops.map((op, i) => ({ op, invoked: i * 10, returned: i * 10 + 5 }))

test('a read of what was before an answered deposit is a violation; while it runs, it is not', () => {
  const deposit = { type: 'deposit', amount: 5, said: 5 } as const
  const stale = { type: 'read', said: 0 } as const
  const found = check(account, [
    ...inOrder({ type: 'deposit', amount: 1, said: 1 }, { type: 'withdraw', amount: 1, said: 0 }),
    { op: deposit, invoked: 20, returned: 30 },
    { op: stale, invoked: 31, returned: 40 },
    { op: { type: 'read', said: 5 }, invoked: 41, returned: 50 },
  ])
  assert.deepEqual(
    found?.history.map(({ op }) => op),
    [stale],
  )
  assert.deepEqual(found?.states, ['5'])
  assert.equal(
    check(account, [
      { op: deposit, invoked: 20, returned: 30 },
      { op: stale, invoked: 29, returned: 40 },
    ]),
    undefined,
  )
})

test('what was not answered may have been done at any time, or never', () => {
  const lost = {
    op: { type: 'deposit', amount: 5 },
    invoked: 0,
    returned: Number.POSITIVE_INFINITY,
  } as const
  const reads = (...said: readonly number[]) =>
    said.map(
      (said, i) => ({ op: { type: 'read', said }, invoked: 10 * i + 1, returned: 10 * i + 2 }) as const,
    )
  assert.equal(check(account, [lost, ...reads(0, 0, 0)]), undefined)
  assert.equal(check(account, [lost, ...reads(0, 0, 5, 5)]), undefined)
  assert.equal(check(account, [lost, ...reads(0, 5, 0)])?.last.invoked, 21)
  assert.ok(check(account, [lost, ...reads(0, 10)]))
})

test('a hundred thousand operations are checked without recursion', () => {
  const history = realHistory(prng(seed), times(100_000, 300_000), { lost: 1_000_000 })
  const startedMs = performance.now()
  assert.equal(check(account, history), undefined)
  assert.ok(performance.now() - startedMs < 20_000)
})

test('one that waits while ten thousand others are answered costs no more than they do', () => {
  const others = inOrder(
    ...Array.from({ length: 10_000 }, (_, i): Op => ({ type: 'deposit', amount: 1, said: i + 1 })),
  )
  const slow = { op: { type: 'deposit', amount: 1, said: 10_001 }, invoked: -1, returned: 200_000 } as const
  assert.equal(check(account, [slow, ...others]), undefined)
})

test('fifty at once that nothing tells apart are given up by the budget, not tried for ever', () => {
  const many = Array.from({ length: 50 }, (_, i) => ({
    op: { type: 'deposit', amount: 2 ** i } as Op,
    invoked: 0,
    returned: 10,
  }))
  const impossible = { op: { type: 'read', said: 2 ** 51 } as const, invoked: 11, returned: 12 }
  assert.throws(() => check(account, [...many, impossible], { stepsMax: 100_000 }), UndecidedError)
})
