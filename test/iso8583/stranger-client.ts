/**
 * A client of ISO 8583 as somebody writes it who has `docs/iso8583.md`, the table of ISO 8583:1987, and nothing of the code:
 * it shares none, so that no error is made alike on both sides.
 */
import { createCipheriv } from 'node:crypto'
import { connect, type Socket } from 'node:net'

export type Fields = Readonly<Record<number, string>>
export type Message = { readonly mti: string; readonly fields: Fields }
export type Key = { readonly algorithm: 'tdes' | 'aes'; readonly key: string }

/** How long each field is: a number alone is fixed; behind `ll` and `lll`, at most so long, as two or three digits before it say. */
const lengths = new Map(
  `2=ll19 3=6 4=12 5=12 6=12 7=10 8=8 9=8 10=8 11=6 12=6 13=4 14=4 15=4 16=4 17=4 18=4 19=3 20=3 21=3 22=3 23=3
   24=3 25=2 26=2 27=1 28=9 29=9 30=9 31=9 32=ll11 33=ll11 34=ll28 35=ll37 36=lll104 37=12 38=6 39=2 40=3 41=8
   42=15 43=40 44=ll25 45=ll76 46=lll999 47=lll999 48=lll999 49=3 50=3 51=3 52=16 53=16 54=lll120 62=lll999
   64=16 66=1 67=2 70=3 74=10 75=10 76=10 77=10 86=16 87=16 88=16 89=16 90=42 95=42 97=17 102=ll28 103=ll28
   123=lll999 128=16`
    .split(/\s+/)
    .map((entry) => entry.split('=') as [string, string]),
)

function lengthOf(field: number): { digits: number; most: number } {
  const [, prefix = '', most = ''] = /^(l*)(\d+)$/.exec(lengths.get(String(field)) ?? '') ?? []
  if (most === '') throw new Error(`field ${field} is not in the table`)
  return { digits: prefix.length, most: Number(most) }
}

/** A message in characters, with its MAC behind it where there is a key for one. */
export function pack(mti: string, fields: Fields, key?: Key): string {
  const numbers = Object.keys(fields).map(Number)
  if (key !== undefined) numbers.push(numbers.some((field) => field > 64) ? 128 : 64)
  if (numbers.some((field) => field > 64)) numbers.push(1)
  let bits = 0n
  for (const field of numbers) bits |= 1n << BigInt(128 - field)
  const map = bits.toString(16).toUpperCase().padStart(32, '0')
  let text = mti + (numbers.includes(1) ? map : map.slice(0, 16))
  for (const [number, value] of Object.entries(fields)) {
    const { digits, most } = lengthOf(Number(number))
    const fits = digits > 0 ? value.length <= most : value.length === most
    if (!fits) throw new Error(`field ${number} is ${value.length} long`)
    text += (digits > 0 ? String(value.length).padStart(digits, '0') : '') + value
  }
  return key === undefined ? text : text + macOf(text, key)
}

/** Throws where the bytes are no message of the table, to the last one. */
export function parse(text: string): Message {
  let at = 4
  const take = (length: number): string => {
    at += length
    if (at > text.length) throw new Error(`it ends too early: ${text}`)
    return text.slice(at - length, at)
  }
  const half = () =>
    BigInt(`0x${take(16)}`)
      .toString(2)
      .padStart(64, '0')
  const first = half()
  const bits = first.startsWith('1') ? first + half() : first
  const fields: Record<number, string> = {}
  for (let field = 2; field <= bits.length; field++) {
    if (bits[field - 1] !== '1') continue
    const { digits, most } = lengthOf(field)
    const length = digits > 0 ? Number(take(digits)) : most
    if (!(length <= most)) throw new Error(`field ${field} is too long: ${text}`)
    fields[field] = take(length)
  }
  if (at !== text.length) throw new Error(`something is left over: ${text}`)
  return { mti: text.slice(0, 4), fields }
}

function encrypt(cipher: string, key: Buffer, block: Buffer): Buffer {
  const machine = createCipheriv(cipher, key, null).setAutoPadding(false)
  return Buffer.concat([machine.update(block), machine.final()])
}

function tdes(hex: string, block: Buffer): Buffer {
  const key = Buffer.from(hex, 'hex')
  const first = key.subarray(0, 8)
  const rest =
    key.length === 8 ? [first, first] : key.length === 16 ? [key.subarray(8), first] : [key.subarray(8)]
  return encrypt('des-ede3-ecb', Buffer.concat([first, ...rest]), block)
}

function aes(hex: string, block: Buffer): Buffer {
  return encrypt(`aes-${hex.length * 4}-ecb`, Buffer.from(hex, 'hex'), block)
}

function xor(a: Buffer, b: Buffer): Buffer {
  return Buffer.from(a.map((byte, at) => byte ^ (b[at] ?? 0)))
}

/** The check value of a key: of zeros under it, the first three bytes. */
export function checkOf({ algorithm, key }: Key): string {
  const zeros = algorithm === 'tdes' ? tdes(key, Buffer.alloc(8)) : aes(key, Buffer.alloc(16))
  return zeros.toString('hex', 0, 3).toUpperCase()
}

/** Retail MAC or CMAC of a message, up to the field that it goes into. */
export function macOf(text: string, { algorithm, key }: Key): string {
  const size = algorithm === 'tdes' ? 8 : 16
  const data = Buffer.from(text, 'latin1')
  const last = Math.ceil(data.length / size) - 1
  let chain = Buffer.alloc(size)
  for (let at = 0; at < last; at++) {
    const mixed = xor(chain, data.subarray(at * size, (at + 1) * size))
    chain = Buffer.from(algorithm === 'tdes' ? tdes(key.slice(0, 16), mixed) : aes(key, mixed))
  }
  const end = data.subarray(last * size)
  const filled = Buffer.alloc(size)
  end.copy(filled)
  if (algorithm === 'tdes') return tdes(key, xor(chain, filled)).toString('hex').toUpperCase()
  if (end.length < size) filled[end.length] = 0x80
  const subkey = doubled(aes(key, Buffer.alloc(16)))
  const mask = end.length < size ? doubled(subkey) : subkey
  return aes(key, xor(chain, xor(filled, mask)))
    .toString('hex', 0, 8)
    .toUpperCase()
}

/** Twice a number of the field that CMAC reckons in. */
function doubled(block: Buffer): Buffer {
  const twice = BigInt(`0x${block.toString('hex')}`) << 1n
  const reduced = twice >> 128n === 0n ? twice : twice ^ 0x87n
  return Buffer.from(BigInt.asUintN(128, reduced).toString(16).padStart(32, '0'), 'hex')
}

/** ISO 9564 format 0 under TDES, for 52; format 4 under AES, for 123. */
export function pinBlock({ algorithm, key }: Key, pan: string, pin: string): string {
  const told = `${pin.length}${pin}`
  if (algorithm === 'tdes') {
    const account = Buffer.from(pan.slice(-13, -1).padStart(16, '0'), 'hex')
    return tdes(key, xor(Buffer.from(`0${told}`.padEnd(16, 'F'), 'hex'), account))
      .toString('hex')
      .toUpperCase()
  }
  const account = Buffer.from(`${pan.length - 12}${pan}`.padEnd(32, '0'), 'hex')
  const clear = Buffer.from(`${`4${told}`.padEnd(16, 'A')}${'5A'.repeat(8)}`, 'hex')
  return aes(key, xor(aes(key, clear), account))
    .toString('hex')
    .toUpperCase()
}

/** Four digits, then so many bytes. */
export function framed(text: string): string {
  return String(text.length).padStart(4, '0') + text
}

type Heard = { readonly text: string; readonly message: Message }

/** A socket to the host. Answers are matched by their type and STAN, as they come in any order. */
export class Line {
  readonly #socket: Socket
  readonly #waiting = new Map<string, (heard: Heard | undefined) => void>()
  #rest = ''
  /** What came that nobody had asked for. */
  readonly unasked: string[] = []
  readonly closed: Promise<void>

  static async open(port: number): Promise<Line> {
    const socket = connect(port, '127.0.0.1')
    await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject))
    return new Line(socket)
  }

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.setEncoding('latin1').on('data', (text: string) => this.#take(text))
    socket.on('error', () => {})
    this.closed = new Promise((resolve) => {
      socket.on('close', () => {
        for (const then of this.#waiting.values()) then(undefined)
        resolve()
      })
    })
  }

  #take(text: string): void {
    this.#rest += text
    for (;;) {
      const end = 4 + Number(this.#rest.slice(0, 4))
      if (this.#rest.length < 4 || this.#rest.length < end) return
      const heard = this.#rest.slice(4, end)
      this.#rest = this.#rest.slice(end)
      const message = parse(heard)
      const then = this.#waiting.get(`${message.mti} ${message.fields[11]}`)
      if (then === undefined) this.unasked.push(heard)
      else then({ text: heard, message })
    }
  }

  write(bytes: string): void {
    this.#socket.write(bytes, 'latin1')
  }

  /** What these bytes are answered, by the number in them; undefined where the line dies before it, or nothing comes in time. */
  say(text: string, number = parse(text).fields[11], maxMs = 10_000): Promise<Heard | undefined> {
    const name = `${text.slice(0, 2)}${Number(text[2]) + 1}0 ${number}`
    return new Promise((resolve) => {
      const then = (heard: Heard | undefined) => {
        clearTimeout(timer)
        this.#waiting.delete(name)
        resolve(heard)
      }
      const timer = setTimeout(then, maxMs, undefined)
      this.#waiting.set(name, then)
      if (this.#socket.destroyed) then(undefined)
      else this.write(framed(text))
    })
  }

  /** As a machine whose line is cut. */
  cut(): void {
    this.#socket.destroy()
  }
}
