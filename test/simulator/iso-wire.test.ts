// The machine's end of a line of ISO 8583, with hosts that answer in their own way: out of order, in pieces, badly, no.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { test } from 'node:test'
import { type Draft, iso87a, type Message, parse } from '../../src/iso8583/message/index.ts'
import type { Host } from '../../src/simulator/host.ts'
import { IsoHost, reach } from '../../src/simulator/iso8583/iso-host.ts'
import { IsoWire } from '../../src/simulator/iso8583/iso-wire.ts'
import { Stans } from '../../src/simulator/iso8583/stans.ts'
import type { Line } from '../../src/simulator/line.ts'
import { HostError } from '../../src/simulator/operator.ts'
import { enterNoPin } from '../../src/simulator/pin-entry.ts'
import { framed } from '../iso8583/support.ts'
import { prng, seed } from '../support/chance.ts'
import { card, MachineBench } from './support.ts'

type Scope = { after(then: () => Promise<void> | void): void }

/** Listens, and does with each message what the test says; gives what is connected to it. */
async function listen(scope: Scope, onMessage: (message: Message, socket: Socket) => void) {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('data', (bytes) => {
      for (let at = 0; at < bytes.length; ) {
        const end = at + 4 + Number(bytes.toString('latin1', at, at + 4))
        onMessage(parse(bytes.subarray(at + 4, end), iso87a) as Message, socket)
        at = end
      }
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const at = { host: '127.0.0.1', port }
  const wire = new IsoWire(at)
  scope.after(async () => {
    wire.close()
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return { at, wire, sockets }
}

function echo(stan: string, terminal?: string): Draft {
  return { mti: '0800', fields: { 11: stan, 41: terminal, 70: '301' } }
}

function answerTo({ fields }: Message, more: Record<number, string> = {}): Buffer {
  const { 11: stan = '', 41: terminal } = fields
  return framed('0810', { 11: stan, 39: '00', ...(terminal && { 41: terminal }), 70: '301', ...more })
}

test('answers in any order and in pieces go to whoever asked, and one that nobody waits for to nobody', async (t) => {
  const came: Message[] = []
  const { wire, sockets } = await listen(t, (message, socket) => {
    came.push(message)
    if (came.length < 4) return
    const strange = answerTo({ mti: '', fields: { 11: '000009' } })
    const bytes = Buffer.concat([
      strange,
      ...came.map((each, i) => answerTo(each, { 7: `112301000${i}` })).reverse(),
    ])
    socket.write(bytes.subarray(0, 50))
    setTimeout(() => socket.write(bytes.subarray(50)), 20)
  })
  const asked = [echo('000001'), echo('000002', 'ATM00001'), echo('000002', 'ATM00002'), echo('000001')]
  const answers = await Promise.all(asked.map((each) => wire.send(each)))
  assert.deepEqual(
    answers.map((each) =>
      'fields' in each ? [each.fields[11], each.fields[41]?.trim(), each.fields[7]] : each,
    ),
    [
      ['000001', undefined, '1123010003'],
      ['000002', 'ATM00001', '1123010001'],
      ['000002', 'ATM00002', '1123010002'],
      ['000001', undefined, '1123010000'],
    ],
  )
  assert.equal(sockets.size, 1, 'one connection carries all')
})

test('a line that dies loses what was not answered, and the next message makes another', async (t) => {
  let isDeaf = true
  const { wire, sockets } = await listen(t, (message, socket) => {
    if (isDeaf) socket.destroy()
    else socket.write(answerTo(message))
  })
  const lost = await Promise.all([wire.send(echo('000001')), wire.send(echo('000002'))])
  for (const each of lost) assert.deepEqual(each, { lost: 'cut off', sent: true })
  isDeaf = false
  assert.ok('fields' in (await wire.send(echo('000003'))))
  assert.equal(sockets.size, 2)
  wire.close()
  assert.deepEqual(await wire.send(echo('000004')), { lost: 'hung up', sent: false })
})

test('where nobody speaks ISO 8583, that is said in a line', async (t) => {
  const { at: web } = await listen(t, (_, socket) => socket.write('HTTP/1.1 400 Bad Request\r\n\r\n'))
  await assert.rejects(reach(web), says(/what answers there does not speak ISO 8583/))
  const { at: other } = await listen(t, (_, socket) => socket.write('00100810XXXXXX'))
  await assert.rejects(reach(other), says(/an answer cannot be read/))
  await assert.rejects(reach({ host: '127.0.0.1', port: 1 }), says(/127\.0\.0\.1:1: ECONNREFUSED/))
  const { at } = await listen(t, (message, socket) => socket.write(answerTo(message)))
  await reach(at)
})

function says(what: RegExp) {
  return (error: unknown) => error instanceof HostError && what.test(error.message)
}

class WireBench extends MachineBench {
  readonly #wire: IsoWire

  constructor(scope: Scope, wire: IsoWire) {
    super(scope, { loaded: { C1: 10, C2: 0, C3: 10 }, patienceMs: 1_000 })
    this.#wire = wire
  }

  protected override host(line: Line): Host {
    const stans = new Stans(`${this.directory}/stan`)
    const own = { terminal: 'ATM00001', currency: 'USD', isSilent: false, enterPin: enterNoPin }
    return new IsoHost({ ...own, wire: this.#wire, line, stans, chance: prng(seed) })
  }
}

test('an advice that a host refuses is remembered as a finding, and so is a close that it finds out of balance', async (t) => {
  const codes: Record<string, Record<number, string>> = {
    '0200': { 39: '00' },
    '0220': { 39: '30' },
    '0520': { 39: '00', 66: '2' },
  }
  const { wire } = await listen(t, ({ mti, fields }, socket) => {
    const { 11: stan = '', 41: terminal = '' } = fields
    socket.write(
      framed(`${mti.slice(0, 2)}${Number(mti[2]) + 1}0`, { 11: stan, 41: terminal, ...codes[mti] }),
    )
  })
  const machine = await new WireBench(t, wire).boot()
  const { id } = await machine.withdraw(card, 6_000)
  await machine.settle(5_000)
  await machine.close(1)
  assert.equal(machine.owed, 0)
  const [left, closed] = machine.refusals
  assert.deepEqual(left, { id, path: '0220', answer: '39=30' })
  assert.deepEqual([closed?.path, closed?.answer], ['0520', '66=2'])
})

test('a yes for which there are no notes is taken back, and none leaves', async (t) => {
  const heard: Message[] = []
  const { wire } = await listen(t, (message, socket) => {
    const { mti, fields } = message
    heard.push(message)
    const { 11: stan = '', 41: terminal = '' } = fields
    socket.write(framed(`${mti.slice(0, 2)}${Number(mti[2]) + 1}0`, { 11: stan, 39: '00', 41: terminal }))
  })
  const bench = new WireBench(t, wire)
  const machine = await bench.boot()
  const said = await machine.withdraw(card, 1_500)
  await machine.settle(5_000)
  assert.equal(said.outcome, 'given_up')
  assert.equal(bench.left(said.id), 0)
  assert.deepEqual(
    heard.map(({ mti }) => mti),
    ['0200', '0420'],
  )
})
