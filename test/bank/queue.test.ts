/**
 * The queue, on a store whose commits are answered by hand: the one place where a fake store is right, since what
 * matters is the moment between a batch and its answer. Time is moved by hand too.
 */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { systemClock } from '../../src/bank/clock.ts'
import { Queue, type QueueOptions } from '../../src/bank/queue.ts'
import { type Committing, type Pending, StoreError, type StoreErrorCode } from '../../src/bank/store.ts'
import type { Command, Item, Key, Outcome } from '../../src/ledger/command.ts'
import type { Refusal } from '../../src/ledger/refusal.ts'
import { withdraw } from '../support/commands.ts'

type Handed = {
  /** The accounts named by the commands, which are how these tests tell them apart. */
  readonly names: string
  readonly batch: readonly Pending[]
  /** Commits: each command is answered with a posting that says its name. */
  commit(): void
  fail(code: StoreErrorCode | Error): void
}

class StoreByHand implements Committing {
  shut: Refusal | undefined
  readonly handed: Handed[] = []

  commit(batch: readonly Pending[]): Promise<readonly Outcome[]> {
    return new Promise((resolve, reject) => {
      const names = batch.map(nameOf).join('')
      const commit = () => resolve(batch.map((pending) => paid(nameOf(pending))))
      const fail = (code: StoreErrorCode | Error) =>
        reject(code instanceof Error ? code : new StoreError(code, `the store is ${code}`))
      this.handed.push({ names, batch, commit, fail })
    })
  }
}

/** A queue over a store by hand, time that stands until it is moved, and how what was submitted stands. */
function begin({ mock }: TestContext, options: Partial<QueueOptions> = {}) {
  mock.timers.enable({ apis: ['setTimeout', 'Date'], now: 0 })
  const store = new StoreByHand()
  const clock = { now: Date.now, monotonicMs: Date.now, after: systemClock.after }
  const usual = { deadlineMs: 1000, graceMs: 100, lengthMax: 100, batchMax: 100, startAt: 100 }
  const queue = new Queue(store, clock, { ...usual, ...options })
  const answers: Record<string, string> = {}

  return {
    store,
    queue,
    answers,
    /** Submits one command for each letter. */
    submit(names: string, key?: Key) {
      for (const name of names)
        queue.submit({ command: withdraw(name, '1'), actor: '', ...(key && { key }) }).then(
          (outcome) => {
            assert(!(name in answers), 'a command is answered once')
            answers[name] = said(outcome)
          },
          (error) => {
            answers[name] = `error: ${error.message}`
          },
        )
    },
    /** Lets everything happen that needs no time. */
    async settle() {
      for (let i = 0; i < 5; i += 1) await turn()
    },
    /** Moves time, firing what is due on the way. */
    async pass(ms: number) {
      await this.settle()
      // One at a time: a timer that is due on the way must see the time it is due at.
      for (let i = 0; i < ms; i += 1) mock.timers.tick(1)
      await this.settle()
    },
    /** The batches handed over so far. */
    get batches() {
      return store.handed.map(({ names }) => names).join(' ')
    },
    batch(number: number): Handed {
      return store.handed[number - 1] ?? assert.fail(`there is no batch ${number}`)
    },
  }
}

function nameOf({ command }: Pending): string {
  if (command.type === 'batch') return nameOf({ command: command.items[0]?.command ?? command } as Pending)
  return command.type === 'withdraw' ? command.account : assert.fail('these tests only withdraw')
}

function paid(name: string): Outcome {
  const posting = {
    type: 'posted',
    transfer: '1-1',
    account: name,
    currency: 'USD',
    amount: 1,
    ledger: 0,
  } as const
  return { reply: { ...posting, held: 0, version: 1, at: 0, opened: false }, replayed: false }
}

function said({ reply }: Outcome): string {
  return reply.type === 'posted'
    ? `paid ${reply.account}`
    : reply.type === 'refused'
      ? reply.refusal
      : reply.type
}

test('a lone command goes at once: no timer stands between it and its commit', async (t) => {
  const on = begin(t)
  on.submit('a')
  await on.settle()
  assert.equal(on.batches, 'a')
  on.batch(1).commit()
  await on.settle()
  assert.deepEqual(on.answers, { a: 'paid a' })
  on.submit('b')
  await on.settle()
  assert.equal(on.batches, 'a b')
})

test('nothing is answered before its commit is', async (t) => {
  const on = begin(t)
  on.submit('ab')
  await on.settle()
  assert.deepEqual(on.answers, {})
  on.batch(1).commit()
  await on.settle()
  assert.deepEqual(on.answers, { a: 'paid a', b: 'paid b' })
})

test('what came in one turn of the event loop shares a commit', async (t) => {
  const on = begin(t)
  on.submit('ab')
  await Promise.resolve()
  on.submit('c')
  await on.settle()
  assert.equal(on.batches, 'abc')
})

test('so many that an idle store may begin go before the turn is over; the rest of it is the next batch', async (t) => {
  const on = begin(t, { startAt: 3 })
  on.submit('ab')
  assert.equal(on.batches, '')
  on.submit('c')
  assert.equal(on.batches, 'abc')
  on.submit('defgh')
  await on.settle()
  assert.equal(on.batches, 'abc')
  on.batch(1).commit()
  await on.settle()
  assert.equal(on.batches, 'abc defgh')
  on.batch(2).commit()
  await on.settle()
  assert.equal(Object.keys(on.answers).join(''), 'abcdefgh')
  on.submit('i')
  await on.settle()
  assert.equal(on.batches, 'abc defgh i')
})

test('where many take turns, it is half of them that an idle store begins with', async (t) => {
  const on = begin(t, { startAt: 3 })
  on.submit('abc')
  on.submit('defgh')
  on.batch(1).commit()
  await on.settle()
  on.batch(2).commit()
  await on.settle()
  // Eight were here at once.
  on.submit('ijk')
  assert.equal(on.batches, 'abc defgh')
  on.submit('lm')
  assert.equal(on.batches, 'abc defgh ijkl')
})

test('while one batch commits the next collects, and goes when the first is answered', async (t) => {
  const on = begin(t)
  on.submit('a')
  await on.settle()
  for (const name of 'bcd') {
    on.submit(name)
    await on.settle()
  }
  assert.equal(on.batches, 'a')
  on.batch(1).commit()
  await on.settle()
  assert.equal(on.batches, 'a bcd')
})

test('a batch has at most batchMax commands, and the order is kept from one to the next', async (t) => {
  const on = begin(t, { batchMax: 3 })
  on.submit('abcdefgh')
  for (const number of [1, 2, 3]) {
    await on.settle()
    on.batch(number).commit()
  }
  await on.settle()
  assert.equal(on.batches, 'abc def gh')
  assert.equal(Object.keys(on.answers).join(''), 'abcdefgh')
})

/** A client's batch of so many operations, told apart by the account it names. */
function clientsBatch(name: string, operations: number): Command {
  const command = withdraw(name, '1') as Item['command']
  return {
    type: 'batch',
    atomic: false,
    dry_run: false,
    items: Array.from({ length: operations }, () => ({ command })),
  }
}

test('a commit is measured in operations: a client’s batch counts as many, and a larger one goes alone', async (t) => {
  const on = begin(t, { batchMax: 5 })
  on.submit('a')
  await on.settle()
  for (const [name, operations] of [
    ['b', 2],
    ['c', 3],
    ['d', 1],
    ['e', 9],
    ['f', 4],
  ] as const)
    on.queue.submit({ command: clientsBatch(name, operations), actor: '' })
  for (let i = 0; i < 5; i += 1) {
    await on.settle()
    on.store.handed[i]?.commit()
  }
  assert.deepEqual(
    on.store.handed.map(({ names }) => names),
    ['a', 'bc', 'd', 'e', 'f'],
  )
})

test('a queue is full by operations, not by commands', async (t) => {
  const on = begin(t, { lengthMax: 10 })
  on.submit('a')
  await on.settle()
  on.queue.submit({ command: clientsBatch('b', 9), actor: '' })
  on.submit('c')
  on.submit('d')
  await on.settle()
  assert.deepEqual({ ...on.answers }, { d: 'overloaded' })
  on.store.handed[0]?.commit()
  await on.settle()
  on.submit('e')
  await on.settle()
  assert.equal(on.answers['e'], undefined, 'there is room again')
})

test('the deadline travels with the command: its arrival and the time it may take', async (t) => {
  const on = begin(t)
  on.submit('a')
  await on.pass(400)
  on.submit('b')
  on.batch(1).commit()
  await on.settle()
  assert.deepEqual(
    on.store.handed.map(({ batch }) => batch.map(({ deadlineMs }) => deadlineMs)),
    [[1000], [1400]],
  )
})

test('a full queue refuses newcomers at once, and takes some again when it has room', async (t) => {
  const on = begin(t, { lengthMax: 2 })
  on.submit('a')
  await on.settle()
  on.submit('bcd')
  await on.settle()
  assert.deepEqual({ ...on.answers }, { d: 'overloaded' })
  on.batch(1).commit()
  await on.settle()
  on.submit('e')
  on.batch(2).commit()
  await on.settle()
  on.batch(3).commit()
  await on.settle()
  assert.equal(on.batches, 'a bc e')
  assert.deepEqual(on.answers, { d: 'overloaded', a: 'paid a', b: 'paid b', c: 'paid c', e: 'paid e' })
})

test('a store that is shut says why, at once, and nothing is handed over', async (t) => {
  const on = begin(t)
  on.store.shut = 'storage_low'
  on.submit('a')
  await on.settle()
  assert.deepEqual([on.answers, on.batches], [{ a: 'storage_low' }, ''])
  on.store.shut = undefined
  on.submit('b')
  await on.settle()
  assert.equal(on.batches, 'b')
})

test('a command that waits past its deadline is account_busy, and is never handed over', async (t) => {
  const on = begin(t)
  on.submit('a')
  await on.settle()
  on.submit('b')
  await on.pass(500)
  on.submit('c')
  await on.pass(499)
  assert.deepEqual(on.answers, {})
  await on.pass(1)
  assert.deepEqual(on.answers, { b: 'account_busy' })
  on.batch(1).commit()
  await on.settle()
  assert.equal(on.batches, 'a c', 'refused means not done')
})

test('the deadline is each one’s own, however many timers that takes', async (t) => {
  const on = begin(t)
  on.submit('x')
  await on.settle()
  for (const name of 'abcd') {
    on.submit(name)
    await on.pass(200)
  }
  await on.pass(200)
  assert.equal(on.answers['a'], 'account_busy')
  assert.equal(on.answers['b'], undefined)
  await on.pass(200)
  assert.equal(on.answers['b'], 'account_busy')
  assert.equal(on.answers['c'], undefined)
  await on.pass(400)
  assert.deepEqual(on.answers, {
    a: 'account_busy',
    b: 'account_busy',
    x: 'outcome_unknown',
    c: 'account_busy',
    d: 'account_busy',
  })
})

test('a command that comes long after others has its own full time', async (t) => {
  const on = begin(t)
  on.submit('a')
  await on.settle()
  on.batch(1).commit()
  await on.pass(100)
  on.submit('b')
  await on.pass(800)
  on.submit('c')
  await on.pass(999)
  assert.deepEqual(on.answers, { a: 'paid a', b: 'outcome_unknown' })
  await on.pass(1)
  assert.deepEqual(on.answers, { a: 'paid a', b: 'outcome_unknown', c: 'account_busy' })
})

test('a command is refused at its deadline, also where a stalled one before it is still in its grace', async (t) => {
  const on = begin(t)
  on.submit('a')
  await on.pass(50)
  on.submit('b')
  await on.pass(1000)
  assert.deepEqual(on.answers, { b: 'account_busy' })
})

test('a store that is busy has done nothing: those in time are handed over again, in order', async (t) => {
  const on = begin(t)
  on.submit('a')
  await on.pass(600)
  on.batch(1).commit()
  on.submit('bc')
  await on.pass(600)
  on.submit('de')
  await on.pass(400)
  on.batch(2).fail('busy')
  await on.settle()
  assert.deepEqual(on.answers, { a: 'paid a', b: 'account_busy', c: 'account_busy' })
  assert.equal(on.batches, 'a bc de')
})

test('a busy store keeps the order of those in time before those that came after', async (t) => {
  const on = begin(t)
  on.submit('abc')
  await on.settle()
  on.submit('de')
  on.batch(1).fail('busy')
  await on.settle()
  assert.equal(on.batches, 'abc abcde')
  assert.deepEqual(on.answers, {})
  on.batch(2).commit()
  await on.settle()
  assert.equal(Object.keys(on.answers).join(''), 'abcde')
})

test('of a busy batch only those whose time is up are refused', async (t) => {
  const on = begin(t, { batchMax: 2 })
  on.submit('x')
  await on.settle()
  on.submit('a')
  await on.pass(300)
  on.submit('b')
  on.batch(1).commit()
  await on.settle()
  await on.pass(700)
  on.batch(2).fail('busy')
  await on.settle()
  assert.deepEqual(on.answers, { x: 'paid x', a: 'account_busy' })
  assert.equal(on.batches, 'x ab b')
})

test('handed over and not answered by deadline and grace: the outcome is unknown', async (t) => {
  const on = begin(t)
  on.submit('ab')
  await on.pass(1000)
  assert.deepEqual(on.answers, {}, 'what is handed over may be done: it is not busy')
  await on.pass(99)
  assert.deepEqual(on.answers, {})
  await on.pass(1)
  assert.deepEqual(on.answers, { a: 'outcome_unknown', b: 'outcome_unknown' })
})

test('an answer that comes too late changes nothing, and the queue goes on', async (t) => {
  const on = begin(t)
  on.submit('a')
  await on.pass(1100)
  on.submit('b')
  on.batch(1).commit()
  await on.settle()
  assert.deepEqual(on.answers, { a: 'outcome_unknown' })
  assert.equal(on.batches, 'a b')
  on.batch(2).commit()
  await on.settle()
  assert.deepEqual(on.answers, { a: 'outcome_unknown', b: 'paid b' })
})

test('a failure that comes too late is no news either, and nothing of it is tried again', async (t) => {
  const on = begin(t)
  on.submit('a')
  await on.pass(1100)
  on.batch(1).fail('busy')
  await on.settle()
  assert.deepEqual(on.answers, { a: 'outcome_unknown' })
  assert.equal(on.batches, 'a')
})

test('a repeat whose first is still being committed at its deadline is in_progress, not busy', async (t) => {
  const on = begin(t, { graceMs: 5000 })
  const key = { scope: '', key: 'k' }
  on.submit('a', key)
  await on.settle()
  on.submit('b', key)
  on.submit('c', { scope: '', key: 'other' })
  on.submit('d', { scope: 'other', key: 'k' })
  on.submit('e')
  await on.pass(1000)
  assert.deepEqual(on.answers, {
    b: 'in_progress',
    c: 'account_busy',
    d: 'account_busy',
    e: 'account_busy',
  })
})

test('a batch that failed goes again one by one, and only the culprit gets the error', async (t) => {
  const errors: unknown[] = []
  const on = begin(t, { onError: (error) => errors.push(error) })
  on.submit('abc')
  await on.settle()
  on.submit('d')
  on.batch(1).fail('failed')
  await on.settle()
  on.batch(2).commit()
  await on.settle()
  on.batch(3).fail('failed')
  await on.settle()
  on.batch(4).commit()
  await on.settle()
  on.batch(5).commit()
  await on.settle()
  assert.equal(on.batches, 'abc a b c d')
  assert.deepEqual(on.answers, {
    a: 'paid a',
    b: 'error: the store is failed',
    c: 'paid c',
    d: 'paid d',
  })
  assert.equal(errors.length, 1, 'and we are told once')
})

test('an error that is not the store’s own counts as failed: nothing was applied', async (t) => {
  const on = begin(t)
  on.submit('ab')
  await on.settle()
  on.batch(1).fail(new TypeError('oops'))
  await on.settle()
  on.batch(2).fail(new TypeError('oops'))
  await on.settle()
  on.batch(3).commit()
  await on.settle()
  assert.deepEqual(on.answers, { a: 'error: oops', b: 'paid b' })
})

for (const [code, refusal] of [
  ['outcome_unknown', 'outcome_unknown'],
  ['unavailable', 'store_unavailable'],
  ['unusable', 'store_unavailable'],
] as const)
  test(`a commit that ends ${code} is answered ${refusal} to each of its batch, and to nobody else`, async (t) => {
    const on = begin(t)
    on.submit('ab')
    await on.settle()
    on.submit('c')
    on.batch(1).fail(code)
    await on.settle()
    assert.deepEqual(on.answers, { a: refusal, b: refusal })
    on.batch(2).commit()
    await on.settle()
    assert.deepEqual(on.answers, { a: refusal, b: refusal, c: 'paid c' })
    assert.equal(on.batches, 'ab c', 'nothing is tried again')
  })

test('idle waits for what is handed over and for what waits behind it', async (t) => {
  const on = begin(t)
  let idle = false
  await on.queue.idle()
  on.submit('a')
  on.queue.idle().then(() => {
    idle = true
  })
  await on.settle()
  on.submit('b')
  on.batch(1).commit()
  await on.settle()
  assert.equal(idle, false)
  on.batch(2).commit()
  await on.settle()
  assert.equal(idle, true)
  await on.queue.idle()
})

test('the length counts what waits and what is being committed', async (t) => {
  const on = begin(t, { batchMax: 2 })
  assert.equal(on.queue.length, 0)
  on.submit('abc')
  assert.equal(on.queue.length, 3)
  await on.settle()
  assert.equal(on.queue.length, 3)
  on.batch(1).commit()
  await on.settle()
  assert.equal(on.queue.length, 1)
  on.batch(2).commit()
  await on.settle()
  assert.equal(on.queue.length, 0)
})

test('every commit is told: how many commands, how long', async (t) => {
  const commits: [number, number][] = []
  const on = begin(t, { onCommit: (size, ms) => commits.push([size, ms]) })
  on.submit('ab')
  await on.pass(7)
  on.batch(1).commit()
  await on.settle()
  on.submit('c')
  await on.settle()
  on.batch(2).fail('unavailable')
  await on.settle()
  assert.deepEqual(commits, [[2, 7]])
})

test('an observer that throws does not make a committed batch run again', async (t) => {
  const onCommit = () => assert.fail('no metrics today')
  const on = begin(t, { onCommit })
  on.submit('ab')
  await on.settle()
  on.batch(1).commit()
  await on.settle()
  assert.equal(on.batches, 'ab')
})

test('a store that answers too few of a committed batch does not make it run again', async (t) => {
  const on = begin(t)
  on.store.commit = async (batch) => {
    on.store.handed.push({ names: batch.map(nameOf).join(''), batch, commit() {}, fail() {} })
    return batch.slice(1).map((pending) => paid(nameOf(pending)))
  }
  on.submit('ab')
  await on.settle()
  assert.equal(on.batches, 'ab')
})

test('when a failed batch goes again one by one, the rest of it keeps its deadlines', async (t) => {
  const on = begin(t)
  on.submit('abc')
  await on.settle()
  on.batch(1).fail('failed')
  await on.settle()
  assert.equal(on.batches, 'abc a')
  assert.equal(on.queue.length, 3)
  await on.pass(1100)
  assert.deepEqual(on.answers, { a: 'outcome_unknown', b: 'account_busy', c: 'account_busy' })
})

test('when a failed batch goes again one by one and the store is busy, its order is kept', async (t) => {
  const on = begin(t)
  on.submit('abc')
  await on.settle()
  on.batch(1).fail('failed')
  await on.settle()
  on.batch(2).fail('busy')
  await on.settle()
  assert.match(on.batch(3).names, /^a/)
})
