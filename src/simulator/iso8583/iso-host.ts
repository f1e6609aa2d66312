/**
 * A machine's host over ISO 8583. A yes to a 0200 is leave to dispense; what a machine has to tell it tells by 0220, 0420
 * and 0520. What is said again says so in its type and may have another time of sending (7); what it is known by, STAN
 * and clock, stays.
 */
import type { Message } from '../../iso8583/message/index.ts'
import type { Chance } from '../../outside/chance.ts'
import type { Advice } from '../advices.ts'
import type { Authorized, Card, CashAsked, Host, Inquired, NotesInserted, Refused, Said } from '../host.ts'
import type { Line } from '../line.ts'
import { worthOf } from '../notes.ts'
import { HostError } from '../operator.ts'
import type { PinEntry } from '../pin-entry.ts'
import { type IsoAddress, IsoWire } from './iso-wire.ts'
import {
  adviceOf,
  balanceIn,
  cardFields,
  common,
  deposit,
  type Fields,
  inquiry,
  withdrawal,
} from './messages.ts'
import { clockAt, idOf, isStamp, type Stamp, stampIn, stampOf } from './stamp.ts'
import type { Stans } from './stans.ts'

export type IsoHostOptions = {
  readonly terminal: string
  readonly currency: string
  readonly wire: IsoWire
  readonly line: Line
  readonly stans: Stans
  readonly chance: Chance
  readonly isSilent: boolean
  readonly enterPin: PinEntry
}

type How = { readonly tries?: number; readonly times?: number }

const triesMax = 3
const approved = '00'
// Nothing was done, or nobody knows: the same again will tell.
const passing = ['91', '96']
// No field has more digits, so that this no is the machine's own.
const amountMax = 999_999_999_999
const tooMuch = { no: '13' } as const
// Of the currencies that simulated machines pay; without a number the host takes the terminal's own.
const numbers: Readonly<Record<string, string>> = { USD: '840', EUR: '978' }

export class IsoHost implements Host {
  readonly isSilent: boolean
  readonly #options: IsoHostOptions

  constructor(options: IsoHostOptions) {
    this.isSilent = options.isSilent
    this.#options = options
  }

  newId(): string {
    return idOf(this.#newStamp())
  }

  knows(id: string): boolean {
    return isStamp(id)
  }

  async signOn(): Promise<Said<unknown>> {
    return said(await this.#ask('0800', this.#newStamp(), { 70: '001' }), () => ({}))
  }

  async balance(card: Card): Promise<Said<Inquired>> {
    const { currency } = this.#options
    const answer = await this.#ask('0200', this.#newStamp(), { ...inquiry, ...this.#customer(card) })
    return said(answer, (fields) => {
      const balance = balanceIn(fields)
      return balance && { ...balance, currency }
    })
  }

  async authorize({ id, card, amount }: CashAsked): Promise<Said<Authorized>> {
    if (amount > amountMax) return tooMuch
    const fields = { ...withdrawal(amount), ...this.#customer(card) }
    return said(await this.#ask('0200', stampIn(id), fields), (fields) => {
      const [code, balance] = [fields[38], balanceIn(fields)]
      return { ...(code !== undefined && { authorization_code: code }), ...(balance && { balance }) }
    })
  }

  async start(_id: string, authorized: Authorized): Promise<Said<Authorized>> {
    return { yes: authorized }
  }

  async deposit({ id, card, notes }: NotesInserted): Promise<Said<{ amount: number }>> {
    const amount = worthOf(notes)
    if (amount > amountMax) return tooMuch
    const fields = { ...deposit(notes), ...this.#customer(card) }
    return said(await this.#ask('0200', stampIn(id), fields), () => ({ amount }))
  }

  async advise(advice: Advice, times: number): Promise<'taken' | Refused | undefined> {
    const stamp = stampIn(advice.id)
    const { mti, fields } = adviceOf(advice, stamp, this.#currency)
    const answer = await this.#ask(mti, stamp, fields, { tries: 1, times })
    if (answer === undefined) return undefined
    const { 39: code, 66: balance = '1' } = answer
    if (code !== approved) return { path: mti, answer: `39=${code}` }
    // It told no totals, so there is nothing that could be off.
    return balance === '1' ? 'taken' : { path: mti, answer: `66=${balance}` }
  }

  hangUp(): void {
    this.#options.wire.drop()
  }

  get #currency(): string | undefined {
    return numbers[this.#options.currency]
  }

  #newStamp(): Stamp {
    return stampOf(this.#options.stans.next(), Date.now())
  }

  #customer(card: Card): Fields {
    return { ...cardFields(card.pan, this.#options.enterPin(card).pin_block), 49: this.#currency }
  }

  /** The fields of an answer that decides; `times` is how often this was said before. */
  async #ask(
    mti: string,
    stamp: Stamp,
    fields: Fields,
    { tries = triesMax, times = 0 }: How = {},
  ): Promise<Message['fields'] | undefined> {
    const { terminal, line, wire, chance } = this.#options
    const answer = await line.ask(async (before) => {
      const isAgain = times + before > 0
      const sent = isAgain && chance(2) === 0 ? { 7: clockAt(Date.now()) } : {}
      const type = isAgain ? `${mti.slice(0, 3)}1` : mti
      const answer = await wire.send({
        mti: type,
        fields: { ...common(stamp, terminal), ...fields, ...sent },
      })
      if ('lost' in answer) return undefined
      return { ...answer, ...(passing.includes(answer.fields[39] ?? '') && { againAfterMs: 0 }) }
    }, tries)
    return answer?.fields
  }
}

function said<What>(
  fields: Message['fields'] | undefined,
  yes: (fields: Message['fields']) => What | undefined,
): Said<What> {
  if (fields === undefined) return undefined
  if (fields[39] !== approved) return { no: fields[39] ?? 'no 39' }
  const told = yes(fields)
  return told === undefined ? { no: 'a yes without what it is about' } : { yes: told }
}

const reachMaxMs = 5_000

/** Throws a HostError where nothing speaks ISO 8583. */
export async function reach(at: IsoAddress): Promise<void> {
  const wire = new IsoWire(at)
  const timer = setTimeout(() => wire.drop(`no answer in ${reachMaxMs / 1000} s`), reachMaxMs)
  const echo = { 7: clockAt(Date.now()), 11: '000001', 70: '301' }
  const answer = await wire.send({ mti: '0800', fields: echo })
  clearTimeout(timer)
  wire.close()
  const where = `${at.host}:${at.port}`
  if ('lost' in answer) throw new HostError(`nothing answers in ISO 8583 at ${where}: ${answer.lost}`)
}
