/** A cash machine and a bank's back office as a stranger has them, who keeps books of their own and holds the host to them. */
import assert from 'node:assert/strict'
import { type Fields, type Key, Line, type Message, macOf, pack } from './stranger-client.ts'

/** What a field of an answer must be: that text, or like that. */
export type Expected = Readonly<Record<number, string | RegExp>>

/** A card of a bank that has told the machine's people what is on its account. Minor units. */
export type Card = { readonly pan: string; readonly id: string; readonly account: string; balance: number }

const echoed = [2, 3, 4, 7, 11, 12, 13, 32, 33, 37, 41, 42, 49, 70, 90, 102, 103]
const least = [7, 11, 12, 13, 37, 41, 70]
export const zeros = '0'.repeat(22)

/** The answer's business day: today's, or what midnight made of it. */
const days = [0, 86_400_000].map((ms) => timeOf(Date.now() + ms).slice(0, 4))
export const day = new RegExp(`^(${days.join('|')})$`)
export const approval = /^\d{6}$/
/** A retrieval reference that the host made. */
export const reference = /^\d{12}$/

/** MMDDhhmmss, in UTC. */
export function timeOf(ms: number): string {
  return new Date(ms).toISOString().replace(/\D/g, '').slice(4, 14)
}

export function amount(minor: number, digits = 12): string {
  return String(minor).padStart(digits, '0')
}

/** 54: of an account of this type, what is on it and what is available. */
export function balances(type: string, minor: number): string {
  const told = `840${minor < 0 ? 'D' : 'C'}${amount(Math.abs(minor))}`
  return `${type}01${told}${type}02${told}`
}

let cards = 0

/** A card number that nobody has, with its check digit. */
export function newPan(): string {
  cards += 1
  const digits = `4761739002${amount(cards, 5)}`
  const sum = [...digits].reduce(
    (sum, digit, at) =>
      sum + [...String(Number(digit) * (at % 2 === 0 ? 2 : 1))].reduce((a, b) => a + Number(b), 0),
    0,
  )
  return `${digits}${(10 - (sum % 10)) % 10}`
}

let stan = 0

/** A number that no message had before. */
export function next(): string {
  stan += 1
  return amount(stan, 6)
}

/** 95: this much was dispensed. */
export function dispensed(minor: number): string {
  return `${amount(minor)}${'0'.repeat(12)}C00000000C00000000`
}

/** The host's REST interface, by its documents. */
export class Office {
  readonly #url: string

  constructor(url: string) {
    this.#url = url
  }

  // biome-ignore lint/suspicious/noExplicitAny: a stranger has no types of the host's
  async ask(method: string, path: string, body?: object, status = 200): Promise<any> {
    const headers = { 'content-type': 'application/json', 'idempotency-key': `office-${next()}` }
    const sent = body === undefined ? {} : { headers, body: JSON.stringify(body) }
    const answer = await fetch(`${this.#url}/v1${path}`, { method, ...sent })
    const text = await answer.text()
    assert.equal(answer.status, status, `${method} ${path}: ${text}`)
    return text === '' ? undefined : JSON.parse(text)
  }

  async ledger(account: string): Promise<number> {
    return (await this.ask('GET', `/accounts/${account}`)).ledger
  }

  /** Open exceptions of a terminal, by type. */
  async exceptions(terminal: string): Promise<string[]> {
    const { exceptions } = await this.ask('GET', '/exceptions?state=open&limit=500')
    const own = exceptions.filter((one: { terminal: string }) => one.terminal === terminal)
    return own.map((one: { type: string }) => one.type).sort()
  }

  /** A card for a new account, with so much on it; PIN 1234, which machines need not ask for. */
  async issue(pan: string, balance: number, more: object = {}): Promise<Card> {
    const { number } = await this.ask('POST', '/accounts', { currency: 'USD' }, 201)
    const money = { account: number, amount: balance, currency: 'USD' }
    if (balance > 0) await this.ask('POST', '/deposits', money, 201)
    const card = {
      pan,
      expiry: '9912',
      accounts: [{ account: number }],
      pin: '1234',
      pin_policy: 'if_present',
    }
    const { id } = await this.ask('POST', '/cards', { ...card, ...more }, 201)
    return { pan, id, account: number, balance }
  }

  /** A terminal in service with 100 notes each of 50.00, 20.00 and 10.00. */
  async install(id: string, more: object = {}): Promise<void> {
    const cassettes = [5000, 2000, 1000].map((value, at) => ({ id: `C${at + 1}`, type: 'cash_out', value }))
    const boxes = Object.entries({ D1: 'cash_in', R1: 'reject', T1: 'retract' })
    const units = [...cassettes, ...boxes.map(([id, type]) => ({ id, type }))]
    await this.ask('POST', '/terminals', { id, name: id, currency: 'USD', units, ...more }, 201)
    const at = `/terminals/${id}`
    const { exchange } = await this.ask('POST', `${at}/exchange`, { action: 'start' })
    const loaded = { C1: 100, C2: 100, C3: 100 }
    await this.ask('POST', `${at}/exchange`, { action: 'end', exchange, mode: 'add', loaded })
    await this.ask('POST', `${at}/state`, { state: 'in_service', reason: 'installed' })
  }
}

/** What a machine counts in a batch: how often, and how much. */
export class Totals {
  readonly #counted = { deposits: [0, 0], returned: [0, 0], withdrawals: [0, 0], undeposited: [0, 0] }

  count(what: 'deposits' | 'returned' | 'withdrawals' | 'undeposited', minor: number): void {
    const [times = 0, sum = 0] = this.#counted[what]
    this.#counted[what] = [times + 1, sum + minor]
  }

  /** 74 to 77, 86 to 89 and 97. */
  fields(): Fields {
    const all = Object.values(this.#counted)
    const sums = all.map(([, sum = 0]) => sum)
    const net = (sums[0] ?? 0) + (sums[1] ?? 0) - (sums[2] ?? 0) - (sums[3] ?? 0)
    const counts = all.map(([times = 0], at) => [74 + at, amount(times, 10)])
    const amounts = sums.map((sum, at) => [86 + at, amount(sum, 16)])
    return {
      ...Object.fromEntries([...counts, ...amounts]),
      97: `${net < 0 ? 'D' : 'C'}${amount(Math.abs(net), 16)}`,
    }
  }
}

function only(numbers: readonly number[], fields: Fields): Fields {
  return Object.fromEntries(
    numbers.flatMap((field) => (fields[field] === undefined ? [] : [[field, fields[field]]])),
  )
}

/** All that is told of a message without a right MAC, or that cannot be read. */
export const leastOf = (fields: Fields) => only(least, fields)

/** A machine's software: every answer it gets, it compares in every field. */
export class Machine {
  readonly terminal: string
  readonly line: Line
  key: Key | undefined

  static async connect(port: number, terminal: string): Promise<Machine> {
    return new Machine(terminal, await Line.open(port))
  }

  constructor(terminal: string, line: Line) {
    this.terminal = terminal
    this.line = line
  }

  /** The machine's clock, whose wall is an hour ahead of UTC, and what else a good machine sends. */
  request(code: string, minor?: number, more: Fields = {}): Fields {
    const now = Date.now()
    const wall = timeOf(now + 3_600_000)
    const number = next()
    return {
      3: code,
      ...(minor !== undefined && { 4: amount(minor) }),
      ...{ 7: timeOf(now), 11: number, 12: wall.slice(4), 13: wall.slice(0, 4) },
      ...{ 32: '00000000001', 37: `RRN${number}ABC`, 41: this.terminal, 42: 'BANK00000000001', 49: '840' },
      ...more,
    }
  }

  /** What takes a request back, by a number of its own and at a later time. */
  reversal(of: Fields, more: Fields = {}): Fields {
    const { 52: _pin, 62: _new, 35: _track, 37: _reference, ...rest } = of
    const later = timeOf(Date.now() + 60_000)
    const original = `0200${of[11]}${of[7]}${zeros}`
    return { ...rest, 7: later, 11: next(), 12: later.slice(4), 13: later.slice(0, 4), 90: original, ...more }
  }

  /** That a message is answered so: with these fields, with what the profile echoes, and with no other. */
  async says(mti: string, fields: Fields, expected: Expected): Promise<Fields> {
    const { fields: heard } = await this.hear(mti, fields)
    const whole: Expected = { ...only(echoed, fields), ...expected }
    const wanted = Object.entries(whole).map(([field, like]) => {
      const value = heard[Number(field)]
      return [field, typeof like !== 'string' && value !== undefined && like.test(value) ? value : like]
    })
    assert.deepEqual(heard, Object.fromEntries(wanted), `${mti} ${JSON.stringify(fields)}`)
    return heard
  }

  /** The answer, whatever it is. Its MAC, where the machine has a key, is right, and is taken off. */
  async hear(mti: string, fields: Fields): Promise<Message> {
    const heard = await this.line.say(pack(mti, fields, this.key))
    assert.ok(heard, `${mti} ${fields[11]} is answered`)
    const { text, message } = heard
    if (this.key === undefined) return message
    const { 64: short, 128: long, ...rest } = message.fields
    assert.equal(long ?? short, macOf(text.slice(0, -16), this.key), `the MAC of ${text}`)
    return { mti: message.mti, fields: rest }
  }

  /** A withdrawal that is approved. */
  async withdraws(card: Card, minor: number, more: Fields = {}): Promise<Fields> {
    const asked = this.request('010000', minor, { 2: card.pan, ...more })
    card.balance -= minor
    await this.says('0200', asked, this.approved(card))
    return asked
  }

  /** What an approval of a withdrawal or a transfer has, beside what it echoes. */
  approved(card: Card): Expected {
    return { 15: day, 38: approval, 39: '00', 54: balances('20', card.balance) }
  }
}
