/** A listener over a real bank that speaks REST as well, and a client that knows the profile and nothing of the code. */
import assert from 'node:assert/strict'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { businessDays } from '../../src/bank/business-day.ts'
import { type Address, readAddresses } from '../../src/iso8583/address.ts'
import type { LineOptions } from '../../src/iso8583/connection.ts'
import { Frames, type Framing, frame } from '../../src/iso8583/framing.ts'
import { Listener } from '../../src/iso8583/listener.ts'
import { isMalformed, iso87a, type Message, pack, parse, type Spec } from '../../src/iso8583/message/index.ts'
import { Onlookers } from '../../src/iso8583/onlookers.ts'
import { done, issue, makeTerminal, pans, serveAtm, waysOf } from '../rest/atm-support.ts'
import { type Options, testVault } from '../rest/support.ts'

type Scope = { after(then: () => Promise<void> | void): void }

export { done, issue, makeTerminal, pans }

/** PIN 1234 of card `a` under the terminal's TDES key; and a wrong one. */
export const block = '85563E517DCF122E'
export const wrongBlock = '7F5D07F247610B35'
const tdes = { algorithm: 'tdes', key: '11111111111111112222222222222222', kcv: 'D2B91C' }

export type Iso = Awaited<ReturnType<typeof serveIso>>

type IsoOptions = {
  readonly options?: Options
  readonly address?: string
  readonly table?: 'iso87a' | 'base24'
  readonly line?: Partial<LineOptions>
}

/** Terminal ATM00001, loaded and in service, and card `a` of account A with 1,000.00, which a stock client need not know the PIN of. */
export async function serveIso(
  scope: Scope,
  { options = {}, address = '', table = 'iso87a', line = {} }: IsoOptions = {},
) {
  const { v1 } = await serveAtm(scope, options)
  await makeTerminal(v1, 'ATM00001')
  done(await v1.put('/terminals/ATM00001/pin-key', tdes), 204)
  const card = await issue(v1, { pan: pans.b, account: 'A', pin_policy: 'if_present' })
  const listened = await listenIso(scope, v1.cashpoint.bank, address, line, table)
  return { v1, card, ...listened, ...waysOf(v1, 'ATM00001') }
}

export async function listenIso(
  scope: Scope,
  bank: Iso['v1']['cashpoint']['bank'],
  query = '',
  line: Partial<LineOptions> = {},
  table: 'iso87a' | 'base24' = 'iso87a',
) {
  const answers: string[] = []
  const logs: string[] = []
  const log = {
    info: (of: object, text: string) => void logs.push(`${text} ${JSON.stringify(of)}`),
    warn: (of: object, text: string) => void logs.push(`${text} ${JSON.stringify(of)}`),
  }
  const [address] = readAddresses(`${table}://127.0.0.1:0${query}`) as [Address]
  const errors: unknown[] = []
  const onlookers = new Onlookers()
  const listener = new Listener(
    address,
    {
      desk: {
        bank,
        vault: testVault,
        dayOf: businessDays('UTC'),
        onError: (error) => void errors.push(error),
      },
      log,
      now: () => bank.now,
      onAnswer: (type, code) => void answers.push(`${type} ${code}`),
      onlookers,
    },
    line,
  )
  await listener.start()
  scope.after(async () => {
    listener.cut()
    await listener.close()
    assert.deepEqual(errors, [], 'nothing failed for a reason of ours')
  })
  return { listener, answers, logs, onlookers, dial: () => dial(scope, listener.port) }
}

export type Fields = Readonly<Record<number, string>>

/** The bytes of a message with its length before it. */
export function framed(mti: string, fields: Fields): Buffer {
  const packed = pack({ mti, fields }, iso87a)
  assert(!isMalformed(packed), isMalformed(packed) ? packed.text : '')
  return Buffer.concat([Buffer.from(String(packed.length).padStart(4, '0')), packed])
}

export type Line = Awaited<ReturnType<typeof dial>>

/** A socket, and the answers that come on it: by their type and STAN, as switches match them. */
export async function dial(scope: Scope, port: number) {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  socket.setMaxListeners(0)
  const state = { rest: Buffer.alloc(0), closed: false, ended: false }
  const waiting = new Map<string, (message: Message) => void>()
  const unasked: Message[] = []
  const frames: string[] = []
  socket.on('data', (chunk) => {
    state.rest = Buffer.concat([state.rest, chunk])
    for (;;) {
      const length = Number(state.rest.toString('latin1', 0, 4))
      if (state.rest.length < 4 || state.rest.length < 4 + length) return
      const bytes = state.rest.subarray(4, 4 + length)
      frames.push(state.rest.toString('latin1', 0, 4 + length))
      state.rest = state.rest.subarray(4 + length)
      onMessage(parse(bytes, iso87a) as Message)
    }
  })
  socket.on('end', () => {
    state.ended = true
  })
  socket.on('close', () => {
    state.closed = true
  })
  socket.on('error', () => undefined)
  await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject))
  scope.after(() => void socket.destroy())

  function onMessage(message: Message): void {
    const name = `${message.mti} ${message.fields[11]}`
    const then = waiting.get(name)
    waiting.delete(name)
    if (then === undefined) unasked.push(message)
    else then(message)
  }

  return {
    socket,
    state,
    unasked,
    frames,
    write: (bytes: Buffer | string) => void socket.write(bytes),
    /** The answer to a message; undefined where the line dies before it, or none comes in time. */
    send(mti: string, fields: Fields, maxMs = 10_000): Promise<Message | undefined> {
      const type = `${mti.slice(0, 2)}${Number(mti[2]) + 1}${mti[3] === '1' ? '0' : mti[3]}`
      return new Promise((resolve) => {
        const timer = setTimeout(() => resolve(undefined), maxMs)
        const onGone = () => {
          clearTimeout(timer)
          resolve(undefined)
        }
        for (const event of ['end', 'close']) socket.once(event, onGone)
        waiting.set(`${type} ${fields[11]}`, (message) => {
          clearTimeout(timer)
          resolve(message)
        })
        socket.write(framed(mti, fields))
      })
    },
    async ask(mti: string, fields: Fields): Promise<Fields> {
      const answer = await this.send(mti, fields)
      return answer?.fields ?? assert.fail(`${mti} ${fields[11]} was not answered`)
    },
  }
}

type Said = { readonly bytes: Buffer; readonly fields: Fields }

/** A line that says bytes and hears bytes, one after the other. */
export function lineOf(
  scope: Scope,
  port: number,
  { spec = iso87a, framing = 'digits4' }: { spec?: Spec; framing?: Framing } = {},
) {
  const socket = raw(scope, port)
  const frames = new Frames(framing, 4096)
  const heard: Buffer[] = []
  let isOver = false
  socket.on('data', (chunk) => {
    frames.put(chunk)
    for (let taken = frames.take(); Buffer.isBuffer(taken); taken = frames.take()) heard.push(taken)
  })
  for (const event of ['end', 'close']) socket.on(event, () => (isOver = true))
  return {
    socket,
    heard,
    /** What a message is answered; undefined where the line is closed over it. */
    async say(message: Buffer): Promise<Said | undefined> {
      socket.write(frame(message, framing) ?? assert.fail('it fits'))
      await until('it is answered, or the line closed', () => heard.length > 0 || isOver)
      const bytes = heard.shift()
      if (bytes === undefined) return undefined
      const { fields } = parse(bytes, spec) as Message
      return { bytes, fields }
    },
    async ask(message: Buffer): Promise<Said> {
      return (await this.say(message)) ?? assert.fail('it was not answered')
    },
  }
}

let stan = 0

/** A number that no message had before. */
export function nextStan(): string {
  stan += 1
  return String(stan).padStart(6, '0')
}

/** MMDDhhmmss of an instant, in UTC. */
export function timeIn(now: number): string {
  return new Date(now).toISOString().replace(/\D/g, '').slice(4, 14)
}

/** A request as the profile has it, at a time of its own. */
export function request(code: string, amount: number | undefined, more: Fields = {}): Fields {
  const time = timeIn(Date.now())
  return {
    2: pans.b,
    3: code,
    ...(amount !== undefined && { 4: String(amount).padStart(12, '0') }),
    7: time,
    11: nextStan(),
    12: time.slice(4),
    13: time.slice(0, 4),
    41: 'ATM00001',
    49: '840',
    ...more,
  }
}

/** The same of a machine that has no clock but 7, which it puts in anew whenever it sends. */
export function sentAt(fields: Fields, seconds = 0): Fields {
  const { 12: _, 13: __, ...rest } = fields
  return { ...rest, 7: timeIn(Date.now() + 1000 * seconds) }
}

/** What reverses a request, by a STAN of its own. `stands` is what of it was dispensed. */
export function reversalOf(mti: string, of: Fields, stands?: number): Fields {
  const { 2: pan = '', 3: code = '', 4: amount = '', 11: original = '', 12: time, 13: date } = of
  return {
    2: pan,
    3: code,
    4: amount,
    7: timeIn(Date.now()),
    11: nextStan(),
    ...(time !== undefined && { 12: time }),
    ...(date !== undefined && { 13: date }),
    41: of[41] ?? 'ATM00001',
    49: '840',
    90: `${mti}${original}${of[7] ?? '0000000000'}${'0'.repeat(22)}`,
    ...(stands !== undefined && {
      95: `${String(stands).padStart(12, '0')}${'0'.repeat(12)}C00000000C00000000`,
    }),
  }
}

/** A port that nobody has just now. */
export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

export async function until(
  what: string,
  isSo: () => Promise<boolean> | boolean,
  maxMs = 5_000,
): Promise<void> {
  for (const endMs = performance.now() + maxMs; !(await isSo()); await pause(10))
    assert.ok(performance.now() < endMs, `${what}, within ${maxMs} ms`)
}

export function raw(scope: Scope, port: number): Socket {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  socket.on('error', () => undefined)
  scope.after(() => void socket.destroy())
  return socket
}
