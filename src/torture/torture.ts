/**
 * Random concurrent operations on a deployment, and whether its answers keep the promises: conserved, exactly once,
 * linearizable per account. Knows the deployment by its answers alone; what was lost is asked again under its key.
 */

import { type Chance, prng } from '../outside/chance.ts'
import { decimalOf, literalOf, minorOf } from '../outside/money.ts'
import { type Answer, type Lost, Wire } from '../outside/wire.ts'
import { account, type Balance, type Declined, type Deposited, type Op, type State } from './account.ts'
import { type Counterexample, check, type Timed, UndecidedError } from './linearizable.ts'

export type Options = {
  readonly url: URL
  /** What the names of its accounts begin with; nobody else's may. */
  readonly prefix: string
  readonly credential?: string | undefined
  readonly seed: number
  readonly seconds: number
  readonly clients: number
  readonly accounts: number
  readonly operations: number
}

export type Promise_ = 'conserved' | 'exactly once' | 'linearizable'

export type Finding = {
  readonly promise: Promise_
  readonly what: string
  readonly account?: string
  readonly shown?: Counterexample<Asked>
}

/** An operation as it went to the model, with who asked and what was said in words. */
export type Asked = Op & { readonly client: number; readonly words: string; readonly answer: string }

export type Verdict = {
  readonly prefix: string
  readonly v1: boolean
  readonly findings: readonly Finding[]
  readonly figures: Figures
  /** What could not be checked, in words. */
  readonly notes: readonly string[]
}

export type Figures = {
  operations: number
  retries: number
  lost: number
  declined: number
  busy: number
  ms: number
}

/** Nothing can be said of the deployment: it cannot be reached, or does not let this client in. */
export class UnreachableError extends Error {}

type Move = {
  readonly kind: 'deposit' | 'withdraw' | 'transfer'
  readonly account: string
  readonly to?: string
  readonly amount: number
  readonly key: string
}

/** A move with what came of it: `first` is the first answer that decided it. */
type Moved = Move & { readonly client: number; readonly invoked: number; first?: Answer; returned: number }

const outageMaxMs = 30_000
const listMax = 5_000
const refusedCodes = ['overloaded', 'storage_low', 'store_unavailable']

export async function torture(options: Options): Promise<Verdict> {
  const run = new Run(options)
  try {
    return await run.all()
  } finally {
    run.wire.close()
  }
}

class Run {
  readonly wire: Wire
  readonly #options: Options
  readonly #prefix: string
  readonly #moves: Moved[] = []
  readonly #histories = new Map<string, Timed<Asked>[]>()
  readonly #findings: Finding[] = []
  readonly #notes: string[] = []
  readonly #figures: Figures = { operations: 0, retries: 0, lost: 0, declined: 0, busy: 0, ms: 0 }
  #decimals = 2
  #currency = ''
  #v1 = false
  #keyed = true
  #lists = true
  #count = 0

  constructor(options: Options) {
    this.#options = options
    this.#prefix = options.prefix
    this.wire = new Wire(options.url, options.credential)
  }

  async all(): Promise<Verdict> {
    const startedMs = performance.now()
    await this.#probe()
    const { clients, accounts, seconds, operations, seed } = this.#options
    const names = Array.from({ length: accounts }, (_, i) => `${this.#prefix}-${i + 1}`)
    for (const name of names) await this.#firstDeposits(name)
    await this.#race()
    await this.#declineStays()
    const endMs = startedMs + seconds * 1000
    const goesOn = () => performance.now() < endMs && this.#count < operations
    const phase = (
      act: (client: number, chance: Chance) => Promise<void>,
      isOpen: () => boolean,
      salt: number,
    ) =>
      Promise.all(
        Array.from({ length: clients }, async (_, client) => {
          const chance = prng(seed * 1000 + client + salt)
          while (isOpen()) await act(client, chance)
        }),
      )
    const half = startedMs + seconds * 800
    const isMixed = () =>
      goesOn() && (!this.#v1 || (performance.now() < half && this.#count < operations * 0.8))
    await phase((client, chance) => this.#act(client, chance, names), isMixed, 0)
    if (this.#v1) await this.#transfersAlone(names, (act) => phase(act, goesOn, 500))
    this.#tellUnknown()
    await this.#repeatAll()
    await this.#judge()
    await this.#empty()
    this.#figures.ms = performance.now() - startedMs
    this.#figures.operations = this.#count
    return {
      prefix: this.#prefix,
      v1: this.#v1,
      findings: this.#findings,
      figures: this.#figures,
      notes: this.#notes,
    }
  }

  /** Whether it is there, whether it has /v1, and whether it knows keys. */
  async #probe(): Promise<void> {
    const there = await this.wire.send({ method: 'GET', path: '/' })
    if ('lost' in there) throw new UnreachableError(`nothing answers at ${this.#options.url}: ${there.lost}`)
    const account = `${this.#prefix}-keys`
    const move = { kind: 'deposit', account, amount: 100_000, key: this.#key() } as const
    const first = await this.#ask(0, move, { careful: true })
    if (first === undefined || first.status !== 200)
      throw new UnreachableError(
        `a deposit was answered ${first?.status ?? 'nothing'}: ${first?.body.slice(0, 120) ?? ''}`,
      )
    const page = await this.wire.send({ method: 'GET', path: `/v1/accounts/${account}` })
    const ledger = 'status' in page && page.status === 200 ? literalOf(page.body, 'ledger') : undefined
    this.#v1 = ledger !== undefined
    this.#currency = 'body' in page ? (/"currency"\s*:\s*"([A-Z]{3})"/.exec(page.body)?.[1] ?? '') : ''
    if (this.#v1) this.#decimals = Math.round(Math.log10(Number(ledger) / 1000))
    if (this.#decimals !== 2)
      throw new UnreachableError(
        `${this.#currency} has no cents: only currencies of two decimals are tortured`,
      )
    const again = await this.#ask(0, move, { careful: true, repeat: true })
    this.#keyed = again?.status === 200 && this.#balanceIn(again) === this.#balanceIn(first)
    if (!this.#keyed) {
      const what =
        'the deployment does not know Idempotency-Key: a deposit sent twice under one key was done twice'
      this.#find({ promise: 'exactly once', what, account })
      this.#moves.push({
        ...move,
        key: `${move.key}-again`,
        client: 0,
        invoked: 0,
        returned: 0,
        first: again ?? first,
      })
      this.#histories.delete(account)
    }
    const list = await this.wire.send({ method: 'GET', path: '/accounts?limit=1' })
    const total = 'body' in list ? Number(literalOf(list.body, 'total_accounts') ?? Number.NaN) : Number.NaN
    this.#lists = total <= listMax
    if (!this.#lists) this.#notes.push('lists were not read: there are too many accounts')
    if (!this.#v1) this.#notes.push('no /v1 here: the original routes only, no transfers')
  }

  #key(): string {
    this.#count += 1
    return `${this.#prefix}-${this.#count}`
  }

  #find(finding: Finding): void {
    if (this.#findings.length < 20) this.#findings.push(finding)
  }

  #sent(move: Move): { method: 'POST'; path: string; body: string; key: string } {
    const { kind, account, to, amount, key } = move
    if (kind === 'transfer') {
      const body = JSON.stringify({ from: account, to, amount, currency: this.#currency })
      return { method: 'POST', path: '/v1/transfers', body, key }
    }
    const body = `{"amount": ${decimalOf(amount, this.#decimals)}}`
    return { method: 'POST', path: `/accounts/${account}/${kind}`, body, key }
  }

  /**
   * Sends until it is decided: what was lost or refused for now goes again under its key. `careful` hangs up on
   * nothing; `drops` hangs up once. Takes it into the histories; gives undefined where nothing can be known.
   */
  async #ask(
    client: number,
    move: Move,
    {
      careful = false,
      repeat = false,
      chance,
    }: { careful?: boolean; repeat?: boolean; chance?: Chance } = {},
  ): Promise<Answer | undefined> {
    const invoked = performance.now()
    const moved: Moved = { ...move, client, invoked, returned: Number.POSITIVE_INFINITY }
    const drops = !careful && this.#keyed && chance !== undefined && chance(12) === 0
    let dropAfterMs = drops ? chance(15) : undefined
    let known = true
    for (;;) {
      const answer = await this.wire.send({
        ...this.#sent(move),
        ...(dropAfterMs !== undefined && { dropAfterMs }),
      })
      dropAfterMs = undefined
      const means = this.#meaning(answer)
      if (means === 'decided') {
        moved.first = answer as Answer
        moved.returned = performance.now()
        break
      }
      if ('lost' in answer && answer.sent) this.#figures.lost += 1
      if (means === 'unknown') known = false
      else this.#figures.busy += 1
      if (!this.#keyed && !known) break
      // Refused means not done: now and then it is left at that, and must be absent.
      if (known && means === 'nothing' && 'status' in answer && chance?.(4) === 0) return undefined
      if (performance.now() - invoked > outageMaxMs) {
        if ('lost' in answer && !answer.sent)
          throw new UnreachableError('the deployment went away and did not come back')
        break
      }
      this.#figures.retries += 1
      await pause('lost' in answer ? (answer.sent ? 2 : 100) : Math.max(20, answer.retryAfterMs))
    }
    if (!repeat) this.#take(moved)
    return moved.first
  }

  #meaning(answer: Answer | Lost): 'decided' | 'unknown' | 'nothing' {
    if ('lost' in answer) return answer.sent ? 'unknown' : 'nothing'
    const code = codeOf(answer)
    if (answer.status === 401 || answer.status === 403)
      throw new UnreachableError(`the deployment does not let this client in: ${answer.status} ${code}`)
    if (answer.status === 423 || answer.status === 429 || answer.status === 409) return 'nothing'
    if (answer.status >= 500)
      return answer.status === 503 && refusedCodes.includes(code) ? 'nothing' : 'unknown'
    return 'decided'
  }

  /** Into the histories of the accounts it moves. */
  #take(moved: Moved): void {
    this.#moves.push(moved)
    const { kind, account, to, amount, client, invoked, returned, first } = moved
    const when = { invoked, returned }
    const money = decimalOf(amount, this.#decimals)
    const words = kind === 'transfer' ? `transfer ${money} to ${to?.split('-').at(-1)}` : `${kind} ${money}`
    const answer = first === undefined ? 'nothing' : this.#said(first)
    if (first !== undefined && first.status >= 400) this.#figures.declined += 1
    const add = (number: string, op: Op) =>
      this.#history(number).push({ op: { ...op, client, words, answer }, ...when })
    const declined = first && this.#declineIn(first, moved)
    if (declined !== undefined) {
      add(account, { type: 'withdraw', amount, said: declined })
      return
    }
    const said = (number: string): Balance | undefined => {
      if (first === undefined) return undefined
      const balance = kind === 'transfer' ? balanceOf(first.body, number) : this.#balanceIn(first)
      return { ...(balance !== undefined && { balance }) }
    }
    if (kind === 'deposit') {
      const created = first && /"account_created"\s*:\s*(true|false)/.exec(first.body)?.[1]
      const whole: Deposited | undefined = first && {
        ...said(account),
        ...(created && { created: created === 'true' }),
      }
      add(account, { type: 'deposit', amount, ...(whole && { said: whole }) })
      return
    }
    const from = said(account)
    add(account, { type: 'withdraw', amount, ...(from && { said: from }) })
    const there = to === undefined ? undefined : said(to)
    if (to !== undefined) add(to, { type: 'deposit', amount, ...(there && { said: there }) })
  }

  #history(number: string): Timed<Asked>[] {
    const found = this.#histories.get(number) ?? []
    this.#histories.set(number, found)
    return found
  }

  #declineIn(answer: Answer, move: Move): Declined | undefined {
    if (answer.status < 400) return undefined
    if (answer.status === 404 && move.kind !== 'deposit') return 'not_found'
    if (/insufficient/i.test(answer.body) && move.kind !== 'deposit') return 'insufficient'
    const what = `an answer that no rule gives: ${answer.status} ${answer.body.slice(0, 120)} to a ${move.kind}`
    this.#find({ promise: 'exactly once', what, account: move.account })
    return 'insufficient'
  }

  #balanceIn({ body }: Answer): number | undefined {
    const literal = literalOf(body, 'new_balance')
    const minor = literal === undefined ? undefined : minorOf(literal, this.#decimals)
    if (literal !== undefined && minor === undefined)
      this.#find({
        promise: 'conserved',
        what: `${literal} was answered, which is no amount of money: rounding in floats`,
      })
    return minor
  }

  #said(answer: Answer): string {
    const balance = literalOf(answer.body, 'new_balance')
    if (answer.status >= 400) return `${answer.status} ${codeOf(answer)}`
    const created = /"account_created"\s*:\s*true/.test(answer.body) ? ', account created' : ''
    return `${answer.status}${balance === undefined ? '' : `, balance ${balance}`}${created}`
  }

  /** Fifty first deposits to one new account at once: the history says whether exactly one opened it. */
  async #firstDeposits(account: string): Promise<void> {
    const chance = prng(this.#options.seed + account.length)
    await Promise.all(
      Array.from({ length: 50 }, (_, client) =>
        this.#ask(client, { kind: 'deposit', account, amount: 1 + chance(100_000), key: this.#key() }),
      ),
    )
  }

  /** Withdrawals of 800 from 1,000 at once. */
  async #race(): Promise<void> {
    const account = `${this.#prefix}-race`
    for (let round = 0; round < 5; round += 1) {
      await this.#ask(0, { kind: 'deposit', account, amount: 100_000, key: this.#key() })
      await Promise.all(
        Array.from({ length: 20 }, (_, client) =>
          this.#ask(client, { kind: 'withdraw', account, amount: 80_000, key: this.#key() }),
        ),
      )
      await this.#balance(0, account, round % 2 === 0)
      const rest = this.#histories.get(account)?.at(-1)?.op
      if (rest?.type === 'read' && rest.said !== 'not_found' && rest.said.balance > 0)
        await this.#ask(0, { kind: 'withdraw', account, amount: rest.said.balance, key: this.#key() })
    }
  }

  /** A decline under a key is answered again, also when the money has come; another amount is another request. */
  async #declineStays(): Promise<void> {
    if (!this.#keyed) return
    const account = `${this.#prefix}-decline`
    await this.#ask(0, { kind: 'deposit', account, amount: 10, key: this.#key() })
    // In floats these make 0.30000000000000004.
    await this.#ask(0, { kind: 'deposit', account, amount: 20, key: this.#key() })
    const move: Move = { kind: 'withdraw', account, amount: 5_000, key: this.#key() }
    const declined = await this.#ask(0, move)
    await this.#ask(0, { kind: 'deposit', account, amount: 9_000, key: this.#key() })
    const again = await this.#ask(0, move, { repeat: true })
    if (declined && again && declined.status >= 400 && again.status < 400)
      this.#find({
        promise: 'exactly once',
        what: 'forgotten decline: a withdrawal that was declined was done when its key was sent again',
        account,
      })
    const deposit: Move = { kind: 'deposit', account, amount: 100, key: this.#key() }
    await this.#ask(0, deposit)
    const other = await this.#ask(0, { ...deposit, amount: 200 }, { repeat: true })
    if (other !== undefined && other.status !== 422)
      this.#find({
        promise: 'exactly once',
        what: `a key was sent again with another amount and answered ${other.status}, not 422`,
        account,
      })
  }

  /** One random act of one client. */
  async #act(client: number, chance: Chance, names: readonly string[]): Promise<void> {
    const account = names[chance(names.length)] ?? ''
    const act = chance(20)
    if (act < 2) return void (await this.#balance(client, account, chance(2) === 0))
    if (act < 3 && this.#lists) return void (await this.#list(client))
    if (act < 5 && this.#keyed) {
      const move = this.#moves[chance(this.#moves.length)]
      if (move?.first !== undefined) return this.#repeat(client, move)
    }
    const to = names[chance(names.length)] ?? ''
    const kind = act < 12 ? 'deposit' : act < 17 || !this.#v1 || to === account ? 'withdraw' : 'transfer'
    const amount =
      kind === 'deposit' ? 1 + chance(100_000) : 1 + chance(chance(4) === 0 ? 10_000_000 : 150_000)
    const move = { kind, account, ...(kind === 'transfer' && { to }), amount, key: this.#key() } as Move
    const twice = this.#keyed && chance(10) === 0
    const second = twice ? this.#ask(client, move, { repeat: true, careful: true }) : undefined
    const first = await this.#ask(client, move, { chance })
    const other = await second
    // Of a move that was left at its refusal, the other try may have been done.
    if (first !== undefined && other !== undefined) this.#compare(move, first, other)
    else if (other !== undefined)
      this.#take({ ...move, client, invoked: 0, returned: performance.now(), first: other })
  }

  async #repeat(client: number, move: Moved): Promise<void> {
    const again = await this.#ask(client, move, { repeat: true, careful: true })
    if (again !== undefined && move.first !== undefined) this.#compare(move, move.first, again)
  }

  #compare(move: Move, first: Answer, again: Answer): void {
    if (first.status === again.status && first.body === again.body) return
    const what =
      first.status >= 400 && again.status < 400
        ? `forgotten decline: a ${move.kind} was declined, and done when its key was sent again`
        : `one key was answered twice and not alike: ${this.#said(first)}; then ${this.#said(again)} (${first.body.slice(0, 160)} | ${again.body.slice(0, 160)})`
    this.#find({ promise: 'exactly once', what, account: move.account })
  }

  async #read(path: string): Promise<{ invoked: number; answer: Answer; returned: number } | undefined> {
    this.#count += 1
    for (const startedMs = performance.now(); performance.now() - startedMs < outageMaxMs; ) {
      const invoked = performance.now()
      const answer = await this.wire.send({ method: 'GET', path })
      if ('status' in answer && answer.status < 423) return { invoked, answer, returned: performance.now() }
      this.#figures.retries += 1
      await pause('lost' in answer ? 100 : Math.max(20, answer.retryAfterMs))
    }
    throw new UnreachableError('the deployment went away and did not come back')
  }

  async #balance(client: number, account: string, simple: boolean): Promise<number | undefined> {
    const read = await this.#read(`/accounts/${account}/balance${simple ? '?simple=true' : ''}`)
    if (read === undefined) return undefined
    const { invoked, answer, returned } = read
    const literal = simple ? answer.body.trim() : (literalOf(answer.body, 'balance') ?? '')
    const balance = answer.status === 200 ? minorOf(literal, this.#decimals) : undefined
    if (answer.status === 200 && balance === undefined)
      this.#find({
        promise: 'conserved',
        what: `balance ${literal} is no amount of money: rounding in floats`,
        account,
      })
    else {
      const said = balance === undefined ? ('not_found' as const) : { balance }
      const op = {
        type: 'read',
        said,
        client,
        words: 'balance',
        answer: `${answer.status}, ${literal}`,
      } as const
      this.#history(account).push({ op, invoked, returned })
    }
    return balance
  }

  /** Reads all accounts at once; gives the sum of those given. */
  async #list(client: number): Promise<Map<string, number>> {
    const found = new Map<string, number>()
    const read = await this.#read('/accounts')
    if (read === undefined) return found
    const { invoked, answer, returned } = read
    for (const [row = ''] of answer.body.matchAll(/\{[^{}]*"account_number"[^{}]*\}/g)) {
      const number = /"account_number"\s*:\s*"([^"]+)"/.exec(row)?.[1] ?? ''
      const balance = minorOf(literalOf(row, 'balance') ?? '', this.#decimals)
      if (!number.startsWith(this.#prefix) || balance === undefined) continue
      found.set(number, balance)
      const op = {
        type: 'read',
        said: { balance },
        client,
        words: 'list',
        answer: `${decimalOf(balance, this.#decimals)}`,
      } as const
      this.#history(number).push({ op, invoked, returned })
    }
    return found
  }

  /** While money only moves between the accounts, every list sums to the same. */
  async #transfersAlone(
    names: readonly string[],
    phase: (act: (client: number, chance: Chance) => Promise<void>) => Promise<unknown>,
  ): Promise<void> {
    const sumOf = (balances: ReadonlyMap<string, number>) =>
      names.reduce((sum, name) => sum + (balances.get(name) ?? 0), 0)
    const before = this.#lists ? sumOf(await this.#list(0)) : undefined
    await phase(async (client, chance) => {
      if (before !== undefined && chance(6) === 0) {
        const sum = sumOf(await this.#list(client))
        if (sum !== before)
          this.#find({
            promise: 'conserved',
            what: `a list sums to ${decimalOf(sum, 2)} while money only moves between its accounts, which had ${decimalOf(before, 2)}`,
          })
        return
      }
      const [account = '', to = ''] = [names[chance(names.length)], names[chance(names.length)]]
      if (account === to) return pause(1)
      await this.#ask(
        client,
        { kind: 'transfer', account, to, amount: 1 + chance(80_000), key: this.#key() },
        { chance },
      )
    })
  }

  #tellUnknown(): void {
    const open = this.#moves.filter(({ first }) => first === undefined)
    if (open.length > 0)
      this.#notes.push(`${open.length} outcomes stayed unknown; each may have been done or not`)
  }

  /** The newest five hundred, when everything is over: each says what it said first. */
  async #repeatAll(): Promise<void> {
    if (!this.#keyed) return
    const decided = this.#moves.filter(({ first }) => first !== undefined)
    const rest = decided.slice(-500)
    await Promise.all(
      Array.from({ length: this.#options.clients }, async (_, client) => {
        for (let move = rest.pop(); move !== undefined; move = rest.pop()) await this.#repeat(client, move)
      }),
    )
  }

  async #judge(): Promise<void> {
    const due = new Map<string, number>()
    const count = (number: string, by: number) => due.set(number, (due.get(number) ?? 0) + by)
    const open = new Set<string>()
    for (const { kind, account, to, amount, first } of this.#moves) {
      if (first === undefined) open.add(account).add(to ?? account)
      if (first === undefined || first.status >= 400) continue
      count(account, kind === 'deposit' ? amount : -amount)
      if (to !== undefined) count(to, amount)
    }
    for (const [account, sum] of due) {
      const balance = (await this.#balance(0, account, false)) ?? 0
      if (balance !== sum && !open.has(account))
        this.#find({
          promise: 'conserved',
          what: `${account} has ${decimalOf(balance, 2)}; what was acknowledged makes ${decimalOf(sum, 2)}`,
          account,
        })
    }
    for (const [number, history] of this.#histories) this.#checkHistory(number, history)
  }

  #checkHistory(number: string, history: readonly Timed<Asked>[]): void {
    try {
      const shown = check<State, Asked>(account, history)
      if (shown !== undefined)
        this.#find({
          promise: 'linearizable',
          what: 'no order explains these answers',
          account: number,
          shown,
        })
    } catch (error) {
      if (!(error instanceof UndecidedError)) throw error
      this.#notes.push(`${number}: its history was too tangled to be checked`)
    }
  }

  async #empty(): Promise<void> {
    for (const [number, history] of this.#histories) {
      const last = history.at(-1)?.op
      const balance = last?.type === 'read' && last.said !== 'not_found' ? last.said.balance : 0
      if (balance > 0)
        await this.wire.send(
          this.#sent({ kind: 'withdraw', account: number, amount: balance, key: this.#key() }),
        )
    }
  }
}

function codeOf({ body }: Answer): string {
  return /"code"\s*:\s*"([^"]+)"/.exec(body)?.[1] ?? /"error"\s*:\s*"([^"]+)"/.exec(body)?.[1] ?? ''
}

/** What a transfer of /v1 says that it left on an account. */
function balanceOf(body: string, number: string): number | undefined {
  const ledger = new RegExp(`"account"\\s*:\\s*"${number}"\\s*,\\s*"ledger"\\s*:\\s*(-?[0-9]+)`).exec(
    body,
  )?.[1]
  return ledger === undefined ? undefined : Number(ledger)
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
