/**
 * What clients ask for, by chance: the original routes and /v1 side by side, a few accounts that everybody wants and
 * many that few do. Amounts end in a number of their own, so that money in the journal tells whose request it was.
 */
import type { Chance } from '../support/chance.ts'
import type { Sent } from './front.ts'

export type Asked = Omit<Sent, 'id'> & {
  readonly kind: string
  /** What the body says, for whoever judges the answer. */
  readonly content: Content
}

/** A part of a request that may move money or set it aside. */
export type Part = {
  readonly type: 'deposit' | 'withdrawal' | 'transfer' | 'hold' | 'capture' | 'void' | 'reversal'
  readonly from?: string
  readonly to?: string
  readonly amount?: number
  readonly of?: string
}

export type Content =
  | { readonly type: 'read'; readonly account?: string; readonly hold?: string }
  | { readonly type: 'parts'; readonly parts: readonly Part[]; readonly all: boolean; readonly dry: boolean }
  | { readonly type: 'account'; readonly account: string }

/** The books as they are opened. `p` accounts have neither holds nor limits nor blocks; amounts in minor units. */
export const opening: Readonly<Record<string, number>> = {
  'p-1': 1_000_000,
  'p-2': 300_000,
  'h-1': 2_000_000,
  'h-2': 500_000,
  'a-1': 800_000,
  'a-2': 50_000,
  'e-1': 400_000,
}
/** The currency of an account: those that begin with `e` are in euros. */
export function currencyOf(account: string): string {
  return account.startsWith('e') ? 'EUR' : 'USD'
}

const plain = ['p-1', 'p-1', 'p-1', 'p-2', 'p-3']
const rich = ['h-1', 'h-1', 'h-2', 'a-1', 'a-2', 'a-3', 'a-4', 'e-1', 'e-2']
const numbers = [...plain, ...rich]

/** Every account there may be. */
export const accountNumbers = [...new Set(numbers)]

const dayS = 24 * 3600

export class Requests {
  readonly #chance: Chance
  #amounts = 0
  /** What answers have named: holds, when they end, and transfers that may be taken back. */
  readonly holds: string[] = []
  readonly ends: number[] = []
  readonly transfers: string[] = []

  constructor(chance: Chance) {
    this.#chance = chance
  }

  next(key: () => string): Asked {
    const chance = this.#chance
    switch (chance(27)) {
      case 0:
      case 1:
      case 2:
      case 3: {
        const account = this.#pick(numbers)
        const simple = chance(2) ? '?simple=true' : ''
        if (account.startsWith('e')) return this.#read(`/v1/accounts/${account}`, account)
        if (chance(3)) return this.#read(`/accounts/${account}/balance${simple}`, account)
        return this.#read(`/v1/accounts/${account}${chance(2) ? '/balance' : ''}`, account)
      }
      case 4:
        return chance(2)
          ? { kind: 'list', method: 'GET', path: '/accounts', content: { type: 'read' } }
          : { kind: 'v1 list', method: 'GET', path: '/v1/accounts', content: { type: 'read' } }
      case 5:
      case 6:
      case 7:
      case 8:
        return this.#original('withdraw', key)
      case 9:
      case 10:
        return this.#original('deposit', key)
      case 11:
        return this.#post('/v1/deposits', this.#deposit(), this.#some(key))
      case 12:
        return this.#withdraw(key)
      case 13:
      case 14:
        return this.#post('/v1/transfers', this.#transfer(), this.#some(key))
      case 15:
        return this.#reversal(key())
      case 16:
      case 17:
        return this.#post('/v1/holds', this.#hold(), key())
      case 18:
        return this.#resolve('capture', key())
      case 19:
        return this.#resolve(chance(2) ? 'void' : 'capture', key())
      case 20:
      case 21:
        return this.#batch(key())
      case 22:
        return this.#open(key())
      case 23:
        return this.#state(key())
      case 24:
        return this.#limit(key())
      case 25:
        return this.#reversal(key())
      default:
        return this.#readHold()
    }
  }

  /** Another request than this one, to be sent under its key. */
  other(): Asked {
    return this.#post('/v1/deposits', this.#deposit(), undefined)
  }

  #pick<Thing>(things: readonly Thing[]): Thing {
    return things[this.#chance(things.length)] as Thing
  }

  #some(key: () => string): string | undefined {
    return this.#chance(5) === 0 ? undefined : key()
  }

  #amount(most = 20): number {
    this.#amounts += 1
    return 10_000 * this.#chance(most) + this.#amounts
  }

  #read(path: string, account: string): Asked {
    return { kind: 'read', method: 'GET', path, content: { type: 'read', account } }
  }

  #readHold(): Asked {
    const hold = this.#pick([...this.holds.slice(-8), '1-999999'])
    return { kind: 'read', method: 'GET', path: `/v1/holds/${hold}`, content: { type: 'read', hold } }
  }

  #original(verb: 'withdraw' | 'deposit', key: () => string): Asked {
    const account = this.#pick(numbers.filter((number) => !number.startsWith('e')))
    const amount = this.#amount()
    const digits = (amount / 100).toFixed(2)
    const body = this.#chance(3) === 0 ? `{"amount":"${digits}"}` : `{"amount": ${digits}}`
    const given = this.#some(key)
    const part: Part =
      verb === 'withdraw'
        ? { type: 'withdrawal', from: account, amount }
        : { type: 'deposit', to: account, amount }
    return {
      kind: verb,
      method: 'POST',
      path: `/accounts/${account}/${verb}`,
      body,
      ...(given !== undefined && { key: given }),
      content: { type: 'parts', parts: [part], all: true, dry: false },
    }
  }

  #post(path: string, { body, part }: { body: object; part: Part }, key: string | undefined): Asked {
    return {
      kind: part.type,
      method: 'POST',
      path,
      body: JSON.stringify(body),
      ...(key !== undefined && { key }),
      content: { type: 'parts', parts: [part], all: true, dry: false },
    }
  }

  #deposit(): { body: object; part: Part } {
    const [to, amount] = [this.#pick(numbers), this.#amount()]
    return {
      body: { account: to, amount, currency: this.#currency(to) },
      part: { type: 'deposit', to, amount },
    }
  }

  #withdrawal(): { body: object; part: Part } {
    const [from, amount] = [this.#pick(numbers), this.#amount()]
    const upTo = this.#chance(8) === 0 && { up_to: true }
    const body = { account: from, amount, currency: this.#currency(from), ...upTo }
    return { body, part: { type: 'withdrawal', from, ...(!upTo && { amount }) } }
  }

  /** What is not known beforehand can be told from its answer alone, so that it has a key. */
  #withdraw(key: () => string): Asked {
    const made = this.#withdrawal()
    return this.#post('/v1/withdrawals', made, made.part.amount === undefined ? key() : this.#some(key))
  }

  #transfer(): { body: object; part: Part } {
    const [from, to, amount] = [this.#pick(numbers), this.#pick(numbers), this.#amount()]
    const body = { from, to, amount, currency: this.#currency(from) }
    return { body, part: { type: 'transfer', from, to, amount } }
  }

  #hold(): { body: object; part: Part } {
    const [from, amount] = [this.#pick(rich), this.#amount()]
    const expires_in = this.#pick([1, 5, 20, 60, 900, dayS, 10 * dayS])
    const body = { account: from, amount, currency: this.#currency(from), expires_in }
    return { body, part: { type: 'hold', from, amount } }
  }

  #currency(account: string): string {
    return this.#chance(40) === 0 ? 'GBP' : currencyOf(account)
  }

  #reversal(key: string): Asked {
    const of = this.#pick([...this.transfers.slice(-12), '1-999999'])
    const [part, force] = [this.#chance(3) === 0, this.#chance(6) === 0]
    const amount = this.#amount(4)
    const body = { ...(part && { amount }), ...(force && { force }) }
    const path = `/v1/transfers/${of}/reversals`
    return this.#post(path, { body, part: { type: 'reversal', of, ...(part && { amount }) } }, key)
  }

  #resolve(type: 'capture' | 'void', key: string): Asked {
    const of = this.#pick([...this.holds.slice(-8), '1-999999'])
    const [part, advice] = [this.#chance(3) === 0, this.#chance(4) === 0]
    const amount = this.#amount(8)
    const body = type === 'void' ? {} : { ...(part && { amount }), ...(advice && { advice }) }
    return this.#post(`/v1/holds/${of}/${type}`, { body, part: { type, of } }, key)
  }

  #batch(key: string): Asked {
    const atomic = this.#chance(2) === 0
    const dry = this.#chance(8) === 0
    const made = Array.from({ length: 1 + this.#chance(5) }, (_, i) => this.#operation(`${key}.${i}`))
    const body = {
      atomic,
      ...(dry && { dry_run: true }),
      operations: made.map(({ body, part }) => ({ type: part.type, ...body })),
    }
    return {
      kind: atomic ? 'atomic batch' : 'batch',
      method: 'POST',
      path: '/v1/batches',
      body: JSON.stringify(body),
      key,
      content: { type: 'parts', parts: made.map(({ part }) => part), all: atomic, dry },
    }
  }

  #operation(key: string): { body: object; part: Part } {
    const chance = this.#chance
    const own = chance(3) === 0 && { key }
    const of = chance(5)
    if (of === 4 && this.holds.length > 0) {
      const hold = this.#pick(this.holds.slice(-6))
      const type = chance(2) ? 'capture' : 'void'
      return { body: { hold, ...own }, part: { type, of: hold } }
    }
    const { body, part } =
      of === 0 ? this.#deposit() : of === 1 ? this.#withdrawal() : of === 2 ? this.#hold() : this.#transfer()
    return { body: { ...body, ...own }, part }
  }

  #open(key: string): Asked {
    const chance = this.#chance
    const number = this.#pick(['p-3', 'a-3', 'a-4', 'a-4', 'e-1', 'e-2'])
    const more = number.startsWith('p')
      ? {}
      : {
          overdraft_limit: 1_000 * chance(200),
          minimum_balance: chance(3) === 0 ? 1_000 * chance(20) : 0,
          ...(chance(2) && { limits: this.#limits() }),
        }
    const body = { number, currency: currencyOf(number), ...more }
    return this.#about('open', 'POST', '/v1/accounts', { number, body, key })
  }

  #limits(): object {
    const chance = this.#chance
    return {
      ...(chance(2) && { transaction_amount: 10_000 * chance(20) }),
      ...(chance(2) && { daily_amount: 10_000 * (5 + chance(60)) }),
      ...(chance(2) && { daily_count: 1 + chance(12) }),
    }
  }

  #limit(key: string): Asked {
    const number = this.#pick(rich)
    return this.#about('limits', 'PUT', `/v1/accounts/${number}/limits`, {
      number,
      body: this.#limits(),
      key,
    })
  }

  #state(key: string): Asked {
    const number = this.#pick(rich)
    const state = this.#pick(['active', 'active', 'frozen', 'frozen', 'debit_blocked', 'credit_blocked'])
    const body = { state, reason: 'r' }
    return this.#about('state', 'POST', `/v1/accounts/${number}/state`, { number, body, key })
  }

  #about(
    kind: string,
    method: 'POST' | 'PUT',
    path: string,
    { number, body, key }: { number: string; body: object; key: string },
  ): Asked {
    return {
      kind,
      method,
      path,
      body: JSON.stringify(body),
      key,
      content: { type: 'account', account: number },
    }
  }
}
