/**
 * Scenarios: the rules as text in `test/scenarios`, run alike on `apply` alone, on every store and through HTTP.
 * A file is a theme with several scenarios; each begins with empty books. One step a line:
 *
 *   == two withdrawals of 800 from 1,000      a scenario begins; this is its name
 *   needs clock, restart                      skipped, visibly, by drivers that cannot do all of these
 *   # a comment; blank lines are free
 *   currency JPY                              what a deposit opens accounts in, from here on (at first USD)
 *   clock +25h                                moves the wall clock: ms, s, m, h or d, forwards or back
 *   restart                                   closes the store in order and opens it again
 *
 *   opening 1001=1000.00 1002=5.00 -> opened 2          opening balances out of equity: how many accounts
 *   deposit 1001 100.00 key=a      -> posted 1100.00    posted, with the balance it leaves …
 *   deposit 2002 5                 -> posted 5.00 opened          … having opened the account
 *   withdraw 1001 100.00 key=w     -> posted 1000.00 replayed     … or as it was answered before
 *   withdraw 1001 9000.00          -> insufficient_funds          refused, and why
 *   balance 1001                   -> 1000.00           with the currency's decimals; `none` for no account
 *   accounts                       -> 1001=1000.00 2002=5.00      all, in order
 *
 * And the commands of /v1, in minor units; `cash` is the house's side:
 *
 *   open A overdraft=100 minimum=5 currency=EUR   -> active 0 held 0 available 95 version 1
 *   move cash A 1000               -> transfer 1000 A=1000        what moved, and the balances it leaves
 *   move A B 300 as=t up-to if=2   -> transfer 300 A=700 B=300    `t` is its id from here on; If-Match: "2"
 *   reverse t amount=100 force     -> transfer 100 B=200 A=800
 *   hold A 50 as=h expires=60      -> hold pending 50
 *   capture h amount=20 advice     -> hold posted 20 of 50
 *   void h                         -> hold_resolved posted        refused, and the state in the way
 *   limits A tx=50 day=500 count=3                what may leave it, in one transaction and on a day
 *   state A frozen                 -> active 780 held 0 available 780 version 6
 *   batch atomic dry-run key=b | move A B 1 key=i as=u | void h    -> failed 1: hold_resolved posted
 *   account A, look hold h, look transfer t                        what they are now
 *   adjust A credit 500 by=ann as=a               a correction by hand; above 10,000 it waits for another person
 *   approve a by=bob, reject a by=bob             by whom is who asks, in other steps nobody's business
 *   credential teller ann as=c, revoke c          who is let in
 *   webhook https://x.example as=w, disable w, redeliver w         who is told
 *   hold A 1 times=1000            -> hold pending 1              the same a thousand times
 *
 * The ATM side's are in `atm-words.ts`; after each of them the invariants of its terminal are checked.
 *
 * An amount is what stands in the JSON body: a number, or a string in quotes (`"100.00"`, `" 1"`). `key=K` sends
 * an Idempotency-Key, `scope=S` on behalf of caller S.
 *
 * The runner checks more than a line says: a posting moves exactly the difference between two balances, and a
 * replay repeats the first answer to the letter.
 */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import type { Command, Key, Outcome, Submission } from '../../src/ledger/command.ts'
import { type Entity, nameOf } from '../../src/ledger/entity.ts'
import { formatMinor, parseDecimal } from '../../src/ledger/money.ts'
import { assertInvariants, atmStepOf, sayEntity, sayMachine } from './atm-words.ts'
import { seed } from './chance.ts'
import { commandOfWords, idsIn, sayReply, wordsOf } from './v1-words.ts'

/** What not every driver can do. */
export type Skill = 'clock' | 'restart' | 'scopes' | 'people' | 'atm'

const skills: readonly string[] = ['clock', 'restart', 'scopes', 'people', 'atm'] satisfies Skill[]

export type Request = {
  readonly type: 'deposit' | 'withdraw'
  readonly account: string
  /** JSON, as it stands in a body. */
  readonly amount: string
  readonly key: Key | undefined
}

export type Answer = {
  /** `posted`, `opened` and how many, or the refusal. */
  readonly said: string
  readonly amount?: string
  readonly balance?: string
  readonly opened?: boolean
  readonly replayed: boolean
  /** All of it, which a replay must repeat to the letter. */
  readonly whole: string
  /** What was made or named, in order, for `as=`. */
  readonly ids?: readonly (string | undefined)[]
}

/** One way to do what scenarios say. */
export type Driver = {
  submit(request: Request): Promise<Answer>
  openBooks(accounts: readonly { number: string; currency: string; ledger: number }[]): Promise<Answer>
  /** A command of /v1, answered in the words of `v1-words.ts`. */
  command(command: Command, key: Key | undefined, actor?: string, more?: Entered): Promise<Answer>
  /** What the ATM side keeps under a name, and what waits under names that begin so; where there is the skill. */
  entity?(name: string): Promise<Entity | undefined>
  waiting?(prefix: string, owner: string): Promise<readonly Entity[]>
  ledger?(account: string): Promise<number | undefined>
  /** What is there now, in the same words. */
  look(what: 'account' | 'hold' | 'transfer', name: string): Promise<string>
  balance(number: string): Promise<string | undefined>
  accounts(): Promise<readonly { number: string; balance: string }[]>
  /** What deposits open accounts in, from now on. */
  useCurrency(currency: string): Promise<void>
  moveClock?(ms: number): void
  restart?(): Promise<void>
  /** Proves the books where that is possible, and ends. */
  close(): Promise<void>
}

/** What is no part of a request. */
export type Entered = Pick<Submission, 'pin' | 'new_pin'>

type Step = { readonly where: string; readonly words: readonly string[]; readonly expected: string }

export type Scenario = { readonly name: string; readonly needs: readonly Skill[]; readonly steps: Step[] }

export type Choice = {
  readonly can: readonly Skill[]
  /** Only those that need this. */
  readonly only?: Skill
  /** One of so many, by the seed, beside those that need something: where each costs a store with its threads. */
  readonly oneOf?: number
}

/** Runs scenarios as one test each: all, or those chosen; skipped where the driver lacks a skill. */
export function testScenarios(
  driverName: string,
  { can, only, oneOf = 1 }: Choice,
  open: () => Promise<Driver>,
): void {
  const scenarios = readScenarios()
    .filter(({ needs }) => only === undefined || needs.includes(only))
    .filter(({ needs }, i) => needs.length > 0 || i % oneOf === seed % oneOf)
  for (const { name, needs, steps } of scenarios) {
    const lacking = needs.filter((skill) => !can.includes(skill))
    const skip = lacking.length > 0 && `${driverName} cannot do: ${lacking.join(', ')}`
    test(`${driverName}: ${name}`, { skip }, async () => {
      const driver = await open()
      try {
        await runScenario({ steps }, driver)
      } catch (error) {
        // What the scenario found comes first, whatever closing says.
        await driver.close().catch(() => {})
        throw error
      }
      await driver.close()
    })
  }
}

export function readScenarios(): Scenario[] {
  const folder = new URL('../scenarios/', import.meta.url)
  return readdirSync(folder)
    .filter((file) => file.endsWith('.txt'))
    .sort()
    .flatMap((file) => parseScenarios(readFileSync(new URL(file, folder), 'utf8'), file))
}

export function parseScenarios(text: string, file: string): Scenario[] {
  const scenarios: { name: string; needs: Skill[]; steps: Step[] }[] = []
  for (const [i, raw] of text.split('\n').entries()) {
    const line = raw.trim()
    const where = `${file}:${i + 1}: ${line}`
    if (line === '' || line.startsWith('#')) continue
    if (line.startsWith('== ')) {
      scenarios.push({ name: `${file.replace(/\.txt$/, '')}: ${line.slice(3)}`, needs: [], steps: [] })
      continue
    }
    const scenario = scenarios.at(-1)
    assert(scenario !== undefined, `${where}\n  stands before the first scenario`)
    if (line.startsWith('needs ')) {
      for (const skill of line.slice(6).split(', ')) {
        assert(skills.includes(skill), `${where}\n  nobody can do ${skill}`)
        scenario.needs.push(skill as Skill)
      }
      continue
    }
    const [left = '', expected = '', ...rest] = line.split(/ +->(?: +|$)/)
    assert(rest.length === 0, `${where}\n  has two arrows`)
    // Words, with text in quotes kept in one piece.
    const words = left.match(/(?:"[^"]*"|[^ "])+/g) ?? []
    scenario.steps.push({ where, words, expected })
  }
  return scenarios
}

/** Runs one scenario, and fails at the first line that says otherwise than the driver. */
export async function runScenario({ steps }: Pick<Scenario, 'steps'>, driver: Driver): Promise<void> {
  const notes: Notes = {
    currency: 'USD',
    digits: new Map(),
    answers: new Map(),
    ids: new Map(),
    terminals: new Set(),
  }
  for (const step of steps) {
    const actual = await runStep(step, driver, notes)
    assert.equal(actual, step.expected, `${step.where}\n  but was: ${actual}`)
  }
}

/** What the runner remembers to check more than the lines say. */
type Notes = {
  currency: string
  /** Balances by account, as digits of minor units. */
  readonly digits: Map<string, bigint>
  /** First answers by key. */
  readonly answers: Map<string, Answer>
  /** Ids by the name a step gave them. */
  readonly ids: Map<string, string>
  readonly terminals: Set<string>
}

async function runStep(step: Step, driver: Driver, notes: Notes): Promise<string> {
  const { where } = step
  const { verb, places, options } = wordsOf(step.words)
  const [first = '', second = ''] = places
  const takes = (count: number) => assert.equal(places.length, count, `${where}\n  has too few or many words`)
  const command = commandOfStep(step, notes)
  if (command !== undefined) return await runCommand(command, step, driver, notes)
  const atm = atmStepOf({ verb, places, options }, (name) => notes.ids.get(name) ?? name)
  if (atm !== undefined) {
    const { command, ...entered } = atm
    const said = await runCommand(command, step, driver, notes, entered)
    if (verb === 'terminal' && said.startsWith('terminal ')) notes.terminals.add(first)
    for (const terminal of notes.terminals) await checkTerminal(terminal, driver)
    return said
  }

  switch (verb) {
    case 'deposit':
    case 'withdraw': {
      takes(2)
      const key = keyOf(options)
      const answer = await driver.submit({ type: verb, account: first, amount: second, key })
      checkMovement(where, { verb, account: first, key, answer }, notes)
      return writeAnswer(answer)
    }
    case 'opening': {
      const pairs = places.map(splitAtEquals)
      const accounts = pairs.map(([number, balance]) => {
        const ledger = Number(digitsOf(balance))
        assert.equal(formatMinor(ledger, notes.currency), balance, `${where}\n  ${balance} is no balance`)
        return { number, currency: notes.currency, ledger }
      })
      // Books that exist are left alone.
      if (notes.digits.size === 0)
        for (const [number, balance] of pairs) notes.digits.set(number, digitsOf(balance))
      return writeAnswer(await driver.openBooks(accounts))
    }
    case 'balance':
      takes(1)
      return (await driver.balance(first)) ?? 'none'
    case 'account':
      takes(1)
      return await driver.look('account', first)
    case 'look':
      takes(2)
      return await driver.look(first as 'hold' | 'transfer', notes.ids.get(second) ?? second)
    case 'machine': {
      takes(1)
      const terminal = await driver.entity?.(nameOf.terminal(first))
      assert(terminal?.kind === 'terminal', `${where}\n  there is no such terminal`)
      return sayMachine(terminal, (await driver.ledger?.(`${first}.over_short`)) ?? 0)
    }
    case 'withdrawal': {
      takes(2)
      const found = await driver.entity?.(nameOf.withdrawal(first, second))
      return found === undefined ? 'none' : sayEntity(found)
    }
    case 'exceptions': {
      takes(1)
      const found = (await driver.waiting?.(nameOf.exception(''), first)) ?? []
      const name = options.get('as')
      const [one] = found
      if (name !== undefined && one?.kind === 'exception') notes.ids.set(name, one.id)
      return found.map((each) => (each.kind === 'exception' ? `${each.type} ${each.amount}` : '')).join(' ')
    }
    case 'accounts':
      takes(0)
      return (await driver.accounts()).map(({ number, balance }) => `${number}=${balance}`).join(' ')
    case 'currency':
      takes(1)
      notes.currency = first
      await driver.useCurrency(first)
      return ''
    case 'clock':
      takes(1)
      assert(driver.moveClock !== undefined, `${where}\n  needs clock`)
      driver.moveClock(readDuration(first, where))
      return ''
    case 'restart':
      takes(0)
      assert(driver.restart !== undefined, `${where}\n  needs restart`)
      await driver.restart()
      return ''
    default:
      assert.fail(`${where}\n  nobody knows how to ${verb}`)
  }
}

function keyOf(options: ReadonlyMap<string, string>): Key | undefined {
  const key = options.get('key')
  return key === undefined ? undefined : { scope: options.get('scope') ?? '', key }
}

/** The command of /v1 that a step is, if it is one; a batch has its operations behind bars. */
function commandOfStep({ words, where }: Step, { currency, ids }: Notes): Command | undefined {
  const idOf = (name: string) => ids.get(name) ?? name
  const of = (words: readonly string[]) => commandOfWords(wordsOf(words), { currency, idOf })
  if (words[0] !== 'batch') return of(words)
  const [head, ...operations] = splitAtBars(words)
  const { options } = wordsOf(head ?? [])
  const items = operations.map((words) => {
    const command = of(words)
    assert(command !== undefined, `${where}\n  nobody knows how to ${words[0]}`)
    const key = wordsOf(words).options.get('key')
    return { command, ...(key !== undefined && { key }) }
  })
  return { type: 'batch', atomic: options.has('atomic'), dry_run: options.has('dry-run'), items }
}

function splitAtBars(words: readonly string[]): string[][] {
  const parts: string[][] = [[]]
  for (const word of words)
    if (word === '|') parts.push([])
    else parts.at(-1)?.push(word)
  return parts
}

async function checkTerminal(id: string, driver: Driver): Promise<void> {
  const terminal = await driver.entity?.(nameOf.terminal(id))
  assert(terminal?.kind === 'terminal', `terminal ${id} is there`)
  await assertInvariants(terminal, {
    ledger: async (account) => driver.ledger?.(account),
    waiting: async () => {
      const found = (await driver.waiting?.(nameOf.withdrawal(id, ''), id)) ?? []
      return found.flatMap((each) => (each.kind === 'withdrawal' ? each : []))
    },
  })
}

async function runCommand(
  command: Command,
  step: Step,
  driver: Driver,
  notes: Notes,
  entered: Entered = {},
): Promise<string> {
  const [head = [], ...operations] = splitAtBars(step.words)
  const { options } = wordsOf(head)
  const key = keyOf(options)
  let said = ''
  for (let time = 0; time < Number(options.get('times') ?? 1); time += 1) {
    const answer = await driver.command(command, key, options.get('by'), entered)
    checkReplay(step.where, key, answer, notes)
    for (const [i, words] of (operations.length > 0 ? operations : [head]).entries()) {
      const name = wordsOf(words).options.get('as')
      const id = answer.ids?.[i]
      if (name !== undefined && id !== undefined) notes.ids.set(name, id)
    }
    const now = writeAnswer(answer)
    assert(time === 0 || now === said, `${step.where}\n  but was at time ${time + 1}: ${now}`)
    said = now
  }
  return said
}

type Movement = {
  readonly verb: 'deposit' | 'withdraw'
  readonly account: string
  readonly key: Key | undefined
  readonly answer: Answer
}

function checkMovement(where: string, { verb, account, key, answer }: Movement, notes: Notes): void {
  checkReplay(where, key, answer, notes)
  if (answer.replayed || answer.said !== 'posted') return

  const before = notes.digits.get(account) ?? 0n
  const after = digitsOf(answer.balance ?? '')
  const moved = digitsOf(answer.amount ?? '')
  const due = verb === 'deposit' ? before + moved : before - moved
  assert.equal(after, due, `${where}\n  moved ${answer.amount} to leave ${answer.balance}`)
  assert(moved > 0n, `${where}\n  moved nothing`)
  notes.digits.set(account, after)
}

/** That a replay is what was answered first. */
function checkReplay(where: string, key: Key | undefined, answer: Answer, { answers }: Notes): void {
  // What repeats under an id of the terminal's tells what has become of it since.
  if (key === undefined) return
  const page = `${key.scope} ${key.key}`
  if (answer.replayed) {
    const now = { ...answer, replayed: false }
    // What an item of a batch was answered is known from here on.
    const original = answers.get(page) ?? now
    answers.set(page, original)
    assert.deepEqual(now, original, `${where}\n  is not what was answered first`)
  } else if (isRemembered(answer)) answers.set(page, answer)
}

// Not taken from src: what keys do not remember is part of what scenarios check.
function isRemembered({ said }: Answer): boolean {
  return !/^(amount_|idempotency_conflict|key_repeated)/.test(said)
}

function writeAnswer({ said, balance, opened, replayed }: Answer): string {
  return [said, balance, opened && 'opened', replayed && 'replayed'].filter(Boolean).join(' ')
}

function digitsOf(figure: string): bigint {
  return BigInt(figure.replace('.', ''))
}

function splitAtEquals(word: string): [string, string] {
  const at = word.indexOf('=')
  return [word.slice(0, at), word.slice(at + 1)]
}

const units: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

function readDuration(text: string, where: string): number {
  const [, sign, count, unit = ''] = /^([+-])([0-9]+)(ms|s|m|h|d)$/.exec(text) ?? []
  assert(count !== undefined, `${where}\n  ${text} is no duration`)
  return Number(count) * (units[unit] ?? 0) * (sign === '-' ? -1 : 1)
}

/** For drivers below HTTP: the command of a request, or the answer to an amount that makes none. */
export function commandOf({ type, account, amount }: Request, currency: string): Command | Answer {
  const read = parseDecimal(amount.startsWith('"') ? JSON.parse(amount) : amount)
  if ('problem' in read) return { said: read.problem, replayed: false, whole: read.problem }
  return type === 'deposit'
    ? { type, account, amount: read.decimal, open: currency }
    : { type, account, amount: read.decimal }
}

/** For drivers below HTTP: an outcome as the runner reads it. */
export function answerOf({ reply, replayed }: Outcome): Answer {
  const whole = JSON.stringify(reply)
  switch (reply.type) {
    case 'posted': {
      const { amount, ledger, currency, opened } = reply
      const figures = { amount: formatMinor(amount, currency), balance: formatMinor(ledger, currency) }
      return { said: 'posted', ...figures, opened, replayed, whole }
    }
    case 'refused':
      return { said: sayReply(reply), replayed, whole }
    case 'books_opened':
      return { said: `opened ${reply.accounts.length}`, replayed, whole }
    default:
      return { said: sayReply(reply), replayed, whole, ids: idsIn(reply) }
  }
}
