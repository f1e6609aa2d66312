// The account lock is real: another program holds the journal's write lock, and what cannot be done within the
// deadline is refused when it is over, and never done later.

import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { prng, seed } from '../support/chance.ts'
import { type Answer, assertProves, Client, codeOf, holdLock, pause, place, serve, until } from './support.ts'

const deadlineMs = 700
const { path } = place({ after })
const server = await serve({ after }, { path, env: { CASHPOINT_LOCK_DEADLINE_MS: String(deadlineMs) } })
const client = new Client(server)
after(() => client.close())

const account = '987654321'

type Timed = { readonly answer: Answer | undefined; readonly ms: number }

async function timed(calling: Promise<Answer | undefined>): Promise<Timed> {
  const startMs = performance.now()
  return { answer: await calling, ms: performance.now() - startMs }
}

/** That a command was refused as busy, when its own deadline was over. */
function checkBusy({ answer, ms }: Timed): void {
  assert.equal(answer?.status, 423, answer?.body)
  assert.equal(codeOf(answer), 'account_busy')
  assert.equal(JSON.parse(answer.body).error, 'Account is busy, please try again later')
  assert.match(String(answer.headers['retry-after']), /^[1-9][0-9]*$/)
  assert.ok(ms > deadlineMs - 20 && ms < deadlineMs + 400, `refused after ${ms} ms`)
}

test('each is refused at its own deadline, reads go on, and nothing of it is done later', async (t) => {
  const before = await client.balance(account)
  const lock = await holdLock(t, path)

  const asked: Promise<Timed>[] = []
  for (let i = 0; i < 8; i += 1) {
    asked.push(timed(client.withdraw(account, 100)), timed(client.deposit(`never-${i}`, 100)))
    const read = await timed(client.ask(`/accounts/${account}/balance`))
    assert.ok(read.answer?.status === 200 && read.ms < 400, `a balance after ${read.ms} ms`)
    await pause(80)
  }
  const list = await timed(client.ask('/accounts'))
  assert.ok(list.answer?.status === 200 && list.ms < 400, `the list after ${list.ms} ms`)
  for (const answer of await Promise.all(asked)) checkBusy(answer)

  await lock.release()
  // One more command, so that whatever was left over would have come before it.
  assert.equal((await client.deposit(account, 1))?.status, 200)
  assert.equal(await client.balance(account), (before ?? 0) + 1)
  assert.equal(await client.balance('never-0'), undefined)
  await assertProves(path)
})

test('what comes later, and before the lock is let go, is done', async (t) => {
  const before = await client.balance(account)
  const lock = await holdLock(t, path)

  const first = timed(client.withdraw(account, 100))
  await pause(deadlineMs - 200)
  const second = timed(client.withdraw(account, 10))
  await first
  await lock.release()

  checkBusy(await first)
  const { answer, ms } = await second
  assert.equal(answer?.status, 200, answer?.body)
  assert.ok(ms < deadlineMs, `done after ${ms} ms`)
  assert.equal(await client.balance(account), (before ?? 0) - 10)
})

test('a key does not remember that it was busy', async (t) => {
  const before = await client.balance(account)
  const lock = await holdLock(t, path)
  checkBusy(await timed(client.withdraw(account, 100, 'busy-1')))
  await lock.release()

  const retry = await client.withdraw(account, 100, 'busy-1')
  assert.equal(retry?.status, 200, retry?.body)
  assert.equal(retry.headers['idempotency-replayed'], undefined)
  assert.equal(await client.balance(account), (before ?? 0) - 100)
})

test(`let go just when the deadline is over: done or refused, never both (SEED=${seed})`, async (t) => {
  const chance = prng(seed)
  const tally = { done: 0, busy: 0 }
  for (const afterMs of [-200, -30, 0, 40]) {
    const before = await client.balance(account)
    const lock = await holdLock(t, path)
    const asked = Array.from({ length: 12 }, async (_, i) => {
      await pause(i * 4)
      return client.withdraw(account, 1)
    })
    await pause(deadlineMs + afterMs + chance(40))
    await lock.release()

    const said = (await Promise.all(asked)).map((answer) =>
      answer?.status === 200 ? 'done' : codeOf(answer),
    )
    // Where the disk takes longer than the grace just then, nobody knows yet; what was said stands in any case.
    const count = (what: string) => said.filter((one) => one === what).length
    const [done, busy, unknown] = [count('done'), count('account_busy'), count('outcome_unknown')]
    assert.equal(done + busy + unknown, said.length, said.join(' '))
    assert.equal((await client.deposit(account, 1_000))?.status, 200)
    const taken = (before ?? 0) + 1_000 - ((await client.balance(account)) ?? 0)
    assert.ok(taken >= done && taken <= done + unknown, `${taken} taken, and said: ${said.join(' ')}`)
    tally.done += done
    tally.busy += busy
  }
  t.diagnostic(`SEED=${seed}: ${JSON.stringify(tally)}`)
  assert.ok(tally.done > 0 && tally.busy > 0, 'some of both')
  await assertProves(path)
})

test('refused commands leave nothing behind in the queue', async () => {
  await until('nothing waits', async () =>
    /^cashpoint_queue_commands 0$/m.test((await client.ask('/metrics')).body),
  )
})
