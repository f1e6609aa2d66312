/**
 * Clients that move money and write down what they were told, and a judge that knows from their notes what the
 * books must say: acknowledged means there once, refused means not there, unanswered means at most once, and a
 * retry under the same key tells which.
 */
import assert from 'node:assert/strict'
import type { Chance } from '../support/chance.ts'
import { type Answer, Client, codeOf, pause } from './support.ts'

export type Request = {
  readonly type: 'withdraw' | 'deposit'
  readonly account: string
  /** Minor units. */
  readonly amount: number
  readonly key?: string
}

export const openingBalances = new Map([
  ['123456789', 100_000],
  ['987654321', 250_000],
  ['555555555', 50_000],
])

type Acknowledged = { readonly request: Request; readonly answer: Answer }

/** What a refusal means for the books; everything else with a no is a mistake of ours. */
const meaning: Record<string, 'declined' | 'nothing' | 'unknown'> = {
  insufficient_funds: 'declined',
  account_not_found: 'declined',
  account_busy: 'nothing',
  storage_low: 'nothing',
  store_unavailable: 'nothing',
  overloaded: 'nothing',
  outcome_unknown: 'unknown',
  in_progress: 'unknown',
}

export class Judge {
  /** What acknowledgements make of the balances. */
  readonly balances = new Map(openingBalances)
  /** Under each key, the first answer that counts. */
  readonly keyed = new Map<string, Acknowledged>()
  /** How many answers of each kind there were. */
  readonly tally: Record<string, number> = {}
  #unknown: Request[] = []
  /** Accounts that were named since the balances were last checked. */
  readonly #named = new Set(openingBalances.keys())

  /** Takes down the answer to a request, or that there was none. Fails where it contradicts an earlier one. */
  take(request: Request, answer: Answer | undefined): void {
    this.#named.add(request.account)
    const said = answer === undefined ? 'unanswered' : answer.status === 200 ? 'done' : (codeOf(answer) ?? '')
    this.tally[said] = (this.tally[said] ?? 0) + 1
    const means = answer === undefined ? 'unknown' : answer.status === 200 ? 'done' : meaning[said]
    assert.ok(means !== undefined, `an answer that nobody expects: ${answer?.status} ${answer?.body}`)
    if (means === 'unknown') this.#unknown.push(request)
    if (answer === undefined || means === 'unknown' || means === 'nothing') return

    const before = request.key === undefined ? undefined : this.keyed.get(request.key)
    if (before !== undefined) {
      assertSame(before, answer)
      return
    }
    if (request.key !== undefined) this.keyed.set(request.key, { request, answer })
    if (means === 'done') this.#count(request)
  }

  #count({ type, account, amount }: Request): void {
    const before = this.balances.get(account) ?? 0
    this.balances.set(account, type === 'deposit' ? before + amount : before - amount)
  }

  /**
   * Sends again, under their keys, the requests whose outcome is not known; after that it is. Gives those that
   * had been done without their client being told.
   */
  async resolve(client: Client): Promise<Request[]> {
    const asked = new Map(this.#unknown.map((request) => [request.key, request]))
    asked.delete(undefined)
    this.#unknown = this.#unknown.filter(({ key }) => key === undefined)
    const done: Request[] = []
    await inParallel([...asked.values()], async (request) => {
      const known = this.keyed.has(request.key ?? '')
      const answer = await send(client, request)
      assert.ok(answer !== undefined && [200, 400, 404].includes(answer.status), answer?.body)
      if (!known && answer.headers['idempotency-replayed'] === 'true') done.push(request)
      this.take(request, answer)
    })
    return done
  }

  /** That every one of these keys, or every key ever used, is answered as it was the first time. */
  async checkReplays(client: Client, keys: Iterable<string> = this.keyed.keys()): Promise<void> {
    await inParallel([...keys], async (key) => {
      const before = this.keyed.get(key) ?? assert.fail(`key ${key} was never answered`)
      const answer = await send(client, before.request)
      assert.ok(answer !== undefined, 'a repeat is answered')
      assertSame(before, answer)
      assert.equal(answer.headers['idempotency-replayed'], 'true', `${key} is done twice: ${answer.body}`)
    })
  }

  /**
   * That the books say what the acknowledgements make. A request without a key that was not answered may have
   * been done or not; which, the balance tells, and from then on it counts. Every account is read in the list; by
   * itself, `every` one or those that were named since the last time.
   */
  async checkBalances(client: Client, { every = false } = {}): Promise<void> {
    const found = await client.balances()
    for (const number of new Set([...found.keys(), ...this.balances.keys(), ...this.#named])) {
      const due = this.balances.get(number)
      const open = this.#unknown.filter(({ account }) => account === number)
      const allowed = sumsOf(due ?? 0, open)
      const balance = found.get(number)
      assert.ok(
        balance === undefined ? due === undefined : allowed.has(balance),
        `account ${number} has ${balance}, the acknowledgements make ${[...allowed].join(' or ')}`,
      )
      if (every || this.#named.has(number))
        assert.equal(await client.balance(number), balance, `account ${number} in the list and by itself`)
      if (balance !== undefined) this.balances.set(number, balance)
    }
    this.#unknown = []
    this.#named.clear()
  }
}

function assertSame({ answer: first, request: { key } }: Acknowledged, { status, body }: Answer): void {
  assert.deepEqual(
    { status, body },
    { status: first.status, body: first.body },
    `the answer under key ${key}`,
  )
}

/** Every balance that is possible where each of these may have been done or not. */
function sumsOf(balance: number, open: readonly Request[]): Set<number> {
  let sums = [balance]
  for (const { type, amount } of open)
    sums = [...sums, ...sums.map((sum) => (type === 'deposit' ? sum + amount : sum - amount))]
  return new Set(sums)
}

export function send(client: Client, { type, account, amount, key }: Request): Promise<Answer | undefined> {
  return client[type](account, amount, key)
}

async function inParallel<Item>(items: readonly Item[], does: (item: Item) => Promise<void>): Promise<void> {
  const rest = [...items]
  const worker = async () => {
    for (let item = rest.pop(); item !== undefined; item = rest.pop()) await does(item)
  }
  await Promise.all(Array.from({ length: 16 }, worker))
}

export type Load = {
  /** No further requests; resolves when those under way are answered, or never will be. */
  stop(): Promise<void>
}

/** What clients ask: some requests under fresh keys, some under old ones, some twice at once, some without a key. */
export function startLoad(
  judge: Judge,
  { port, chance, clients = 8, name, host, allKeyed = false }: LoadOptions,
): Load {
  let stopping = false
  let sent = 0
  const fresh = (): Request => {
    sent += 1
    const type = chance(5) < 3 ? 'deposit' : 'withdraw'
    const accounts = [...openingBalances.keys(), `${name}-${chance(20)}`]
    const account = accounts[chance(accounts.length)] ?? ''
    const request = { type, account, amount: 1 + chance(30_000) } as const
    return allKeyed || chance(3) > 0 ? { ...request, key: `${name}-${sent}` } : request
  }
  const old = (): Request | undefined => {
    const keys = [...judge.keyed.keys()].slice(-200)
    return judge.keyed.get(keys[chance(keys.length)] ?? '')?.request
  }
  const run = async (client: Client) => {
    while (!stopping) {
      const request = (chance(10) === 0 ? old() : undefined) ?? fresh()
      const twice = request.key !== undefined && chance(10) === 0
      const answers = await Promise.all((twice ? [1, 2] : [1]).map(() => send(client, request)))
      for (const answer of answers) judge.take(request, answer)
      // A server that is gone refuses at once: the round is over for this client.
      if (answers.includes(undefined)) break
      // Nor does one that is told to come later come at once.
      if (answers.every((answer) => answer?.status === 503)) await pause(20)
    }
    client.close()
  }
  const running = Promise.all(Array.from({ length: clients }, () => run(new Client({ port }, host))))
  return {
    async stop() {
      stopping = true
      await running
    },
  }
}

type LoadOptions = {
  readonly port: number
  readonly chance: Chance
  readonly clients?: number
  /** Of this load's keys and accounts. */
  readonly name: string
  readonly host?: string
  /** Whether every request has a key, so that its outcome can always be told. */
  readonly allKeyed?: boolean
}
