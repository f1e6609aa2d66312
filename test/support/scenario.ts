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
 * An amount is what stands in the JSON body: a number, or a string in quotes (`"100.00"`, `" 1"`). `key=K` sends
 * an Idempotency-Key, `scope=S` on behalf of caller S.
 *
 * The runner checks more than a line says: a posting moves exactly the difference between two balances, and a
 * replay repeats the first answer to the letter.
 */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import type { Command, Key, Outcome } from '../../src/ledger/command.ts'
import { formatMinor, parseDecimal } from '../../src/ledger/money.ts'

/** What not every driver can do. */
export type Skill = 'clock' | 'restart' | 'scopes'

const skills: readonly string[] = ['clock', 'restart', 'scopes'] satisfies Skill[]

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
}

/** One way to do what scenarios say. */
export type Driver = {
  submit(request: Request): Promise<Answer>
  openBooks(accounts: readonly { number: string; currency: string; ledger: number }[]): Promise<Answer>
  balance(number: string): Promise<string | undefined>
  accounts(): Promise<readonly { number: string; balance: string }[]>
  /** What deposits open accounts in, from now on. */
  useCurrency(currency: string): Promise<void>
  moveClock?(ms: number): void
  restart?(): Promise<void>
  /** Proves the books where that is possible, and ends. */
  close(): Promise<void>
}

type Step = { readonly where: string; readonly words: readonly string[]; readonly expected: string }

export type Scenario = { readonly name: string; readonly needs: readonly Skill[]; readonly steps: Step[] }

/** Runs scenarios as one test each: all, or those that need a skill; skipped where the driver lacks one. */
export function testScenarios(
  driverName: string,
  { can, only }: { can: readonly Skill[]; only?: Skill },
  open: () => Promise<Driver>,
): void {
  const scenarios = readScenarios().filter(({ needs }) => only === undefined || needs.includes(only))
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

function readScenarios(): Scenario[] {
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
  const notes: Notes = { currency: 'USD', digits: new Map(), answers: new Map() }
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
}

async function runStep(step: Step, driver: Driver, notes: Notes): Promise<string> {
  const { where } = step
  const [verb = '', ...words] = step.words
  const options = new Map(words.flatMap((word) => (/^(key|scope)=/.test(word) ? [splitAtEquals(word)] : [])))
  const [first = '', second = '', ...rest] = words.filter((word) => !/^(key|scope)=/.test(word))
  const takes = (count: number) =>
    assert.equal(
      [first, second, ...rest].filter(Boolean).length,
      count,
      `${where}\n  has too few or many words`,
    )

  switch (verb) {
    case 'deposit':
    case 'withdraw': {
      takes(2)
      const name = options.get('key')
      const key = name === undefined ? undefined : { scope: options.get('scope') ?? '', key: name }
      const answer = await driver.submit({ type: verb, account: first, amount: second, key })
      checkMovement(where, { verb, account: first, key, answer }, notes)
      return writeAnswer(answer)
    }
    case 'opening': {
      const pairs = words.map(splitAtEquals)
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

type Movement = {
  readonly verb: 'deposit' | 'withdraw'
  readonly account: string
  readonly key: Key | undefined
  readonly answer: Answer
}

function checkMovement(where: string, { verb, account, key, answer }: Movement, notes: Notes): void {
  const page = key && `${key.scope} ${key.key}`
  if (answer.replayed) {
    const original = notes.answers.get(page ?? '')
    assert.deepEqual({ ...answer, replayed: false }, original, `${where}\n  is not what was answered first`)
    return
  }
  if (page !== undefined && isRemembered(answer)) notes.answers.set(page, answer)
  if (answer.said !== 'posted') return

  const before = notes.digits.get(account) ?? 0n
  const after = digitsOf(answer.balance ?? '')
  const moved = digitsOf(answer.amount ?? '')
  const due = verb === 'deposit' ? before + moved : before - moved
  assert.equal(after, due, `${where}\n  moved ${answer.amount} to leave ${answer.balance}`)
  assert(moved > 0n, `${where}\n  moved nothing`)
  notes.digits.set(account, after)
}

// Not taken from src: what keys remember is part of what scenarios check.
function isRemembered({ said }: Answer): boolean {
  return ['posted', 'account_not_found', 'insufficient_funds', 'balance_too_large'].includes(said)
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
      return { said: reply.refusal, replayed, whole }
    case 'books_opened':
      return { said: `opened ${reply.accounts.length}`, replayed, whole }
    default:
      return { said: reply.type, replayed, whole }
  }
}
