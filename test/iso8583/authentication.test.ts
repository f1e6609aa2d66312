/** MACs over a real line: a terminal with a MAC key is heard only by messages that have a right one, and answered so. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { frame } from '../../src/iso8583/framing.ts'
import { base24, isMalformed, iso87a, type Message, parse } from '../../src/iso8583/message/index.ts'
import { encodePinBlock } from '../../src/vault/pin-block.ts'
import { aesMacKey, hasMac, type MacKey, macOf, tdesMacKey, withMac } from '../support/macs.ts'
import {
  done,
  type Fields,
  framed,
  type Iso,
  lineOf,
  nextStan,
  pans,
  pause,
  request,
  reversalOf,
  serveIso,
  until,
  wrongBlock,
} from './support.ts'

type Scope = Parameters<typeof lineOf>[0]
const pinKey = { algorithm: 'tdes', key: Buffer.from('11111111111111112222222222222222', 'hex') } as const
const blockOf = (pin: string) => encodePinBlock(pans.b, pin, pinKey)

/** A terminal with a MAC key, and a line to its host. */
async function serveMac(scope: Scope, key: MacKey, query = '', line: Parameters<typeof lineOf>[2] = {}) {
  const iso = await serveIso(scope, { address: query })
  await giveKey(iso.v1, key)
  return { ...iso, line: lineOf(scope, iso.listener.port, line) }
}

async function giveKey(v1: Iso['v1'], key: MacKey | { readonly algorithm: 'none' }): Promise<void> {
  done(await v1.put('/terminals/ATM00001/mac-key', key), 204)
}

/** How many records the books have. */
function records({ v1 }: Pick<Iso, 'v1'>): Promise<number> {
  return v1.cashpoint.bank.last()
}

/** The message without its MAC, which then ends where that began: as who changes or forges one has it. */
function bare(mti: string, fields: Fields): Buffer {
  return framed(mti, fields).subarray(4)
}

/** A message of each kind, and what it is answered where its MAC is right. */
function messages(): readonly [mti: string, fields: Fields, code: string][] {
  const machine = { 11: nextStan(), 41: 'ATM00001' }
  const asked = request('010000', 2000)
  return [
    ['0800', { ...machine, 70: '001' }, '00'],
    ['0800', { ...machine, 70: '301' }, '00'],
    ['0800', { ...machine, 70: '999' }, '40'],
    ['0100', request('310000', undefined), '00'],
    ['0200', request('310000', undefined), '00'],
    ['0200', asked, '00'],
    ['0201', asked, '00'],
    ['0200', request('210000', 5000, { 48: '5000=1' }), '00'],
    ['0200', request('380000', undefined), '00'],
    ['0200', request('400000', 700, { 103: 'B' }), '00'],
    ['0200', request('920000', undefined, { 52: blockOf('1234'), 62: blockOf('4321') }), '00'],
    ['0200', request('990000', 5000), '12'],
    ['0220', { ...asked, 48: 'C2=1' }, '00'],
    ['0400', reversalOf('0200', request('010000', 1000)), '00'],
    ['0421', reversalOf('0200', request('010000', 1000)), '00'],
    ['0300', { ...machine }, '40'],
    ['0500', { ...machine, 7: '1123005900' }, '00'],
    ['0520', { ...machine, 7: '1123010000' }, '00'],
  ]
}

for (const key of [tdesMacKey, aesMacKey])
  test(`${key.algorithm}: each kind of message is heard with a right MAC and answered with one`, async (t) => {
    const { line } = await serveMac(t, key)
    for (const [mti, fields, code] of messages()) {
      const { bytes, fields: said } = await line.ask(withMac(key, mti, fields))
      assert.equal(said[39], code, `${mti} ${fields[3] ?? fields[70]}`)
      assert.ok(hasMac(key, bytes), `the answer to ${mti} has a right MAC`)
      assert.equal(said[11], fields[11])
    }
  })

test('without a right MAC each kind of message is 30, whatever it is, and nothing is done', async (t) => {
  const iso = await serveMac(t, tdesMacKey)
  const { line, logs } = iso
  const before = await records(iso)
  const kinds = messages()
  for (const [mti, fields] of kinds)
    for (const forged of [bare(mti, fields), withMac(aesMacKey, mti, fields), withZeros(mti, fields)]) {
      const { bytes, fields: said } = await line.ask(forged)
      assert.equal(said[39], '30', mti)
      assert.ok(hasMac(tdesMacKey, bytes), 'this, too, is said by the host')
      const { 39: _, 64: __, 128: ___, ...echoed } = said
      const back = Object.entries(fields).filter(([number]) => /^(7|11|12|13|37|41|70)$/.test(number))
      assert.deepEqual(echoed, Object.fromEntries(back))
    }
  assert.equal(await records(iso), before)
  assert.equal(logs.length, 3 * kinds.length)
  for (const told of logs)
    assert.match(
      told,
      /^a message has no right MAC \{"peer":"127\.0\.0\.1:[0-9]+","type":"0[0-9]{3}","terminal":"ATM00001"\}$/,
    )
})

function withZeros(mti: string, fields: Fields): Buffer {
  const message = withMac(tdesMacKey, mti, fields)
  return message.fill('0', message.length - 16)
}

test('every byte of a message counts', async (t) => {
  const iso = await serveMac(t, tdesMacKey)
  const { v1, listener, card } = iso
  const message = withMac(
    tdesMacKey,
    '0200',
    request('010000', 6000, { 37: '630012000042', 52: blockOf('1234') }),
  )
  const before = await records(iso)
  const codes = new Set<string | undefined>()
  // The other case of a letter is another byte, but in the MAC itself.
  for (const [bit, length] of [
    [0x01, message.length],
    [0x20, message.length - 16],
  ] as const)
    for (let at = 0; at < length; at += 1) {
      const changed = Buffer.from(message)
      changed.writeUInt8(changed.readUInt8(at) ^ bit, at)
      const line = lineOf(t, listener.port)
      const read = parse(changed, iso87a)
      // An answer is not answered.
      if (!isMalformed(read) && Number(read.mti[2]) % 2 === 1) continue
      codes.add((await line.say(changed))?.fields[39])
      line.socket.destroy()
    }
  // Closed where no message could be read; 30; and 58 where it is of another terminal, which is not there.
  assert.deepEqual([...codes].sort(), ['30', '58', undefined])
  assert.equal(await records(iso), before)
  assert.equal(done(await v1.get(`/cards/${card}`), 200)['tries_left'], 3)
  const { fields } = await lineOf(t, listener.port).ask(message)
  assert.equal(fields[39], '00', 'as it was, it is right')
})

test('a wrong PIN behind a wrong MAC costs no try', async (t) => {
  const { v1, line, card } = await serveMac(t, aesMacKey)
  const tries = async () => done(await v1.get(`/cards/${card}`), 200)['tries_left']
  const asked = request('010000', 1000, { 52: wrongBlock })
  for (let i = 0; i < 5; i += 1)
    assert.equal((await line.ask(withMac(tdesMacKey, '0200', asked))).fields[39], '30')
  assert.equal(await tries(), 3)
  assert.equal((await line.ask(withMac(aesMacKey, '0200', asked))).fields[39], '55')
  assert.equal(await tries(), 2)
})

test('a forged reversal gives no money back, and the right one does', async (t) => {
  const { v1, line, exceptions } = await serveMac(t, tdesMacKey)
  const left = async () => done(await v1.get('/accounts/A'), 200)['ledger']
  const asked = request('010000', 6000)
  assert.equal((await line.ask(withMac(tdesMacKey, '0200', asked))).fields[39], '00')
  const undo = reversalOf('0200', asked)
  for (const mti of ['0400', '0401', '0420', '0421']) {
    assert.equal((await line.ask(bare(mti, undo))).fields[39], '30')
    assert.equal((await line.ask(withMac(aesMacKey, mti, undo))).fields[39], '30')
  }
  // Nor a right one of which the amount that stands was changed.
  const part = withMac(tdesMacKey, '0420', { ...undo, 95: `${'4000'.padStart(12, '0')}${'0'.repeat(30)}` })
  const forged = Buffer.from(part.toString('latin1').replace('000000004000', '000000000000'), 'latin1')
  assert.notDeepEqual(forged, part)
  assert.equal((await line.ask(forged)).fields[39], '30')
  assert.equal(await left(), 94_000)
  assert.deepEqual(await exceptions(), [])
  assert.equal((await line.ask(withMac(tdesMacKey, '0420', undo))).fields[39], '00')
  assert.equal(await left(), 100_000)
})

test('a repeat has a MAC of its own, and the same answer', async (t) => {
  const { v1, line } = await serveMac(t, tdesMacKey)
  const asked = request('010000', 6000)
  const message = withMac(tdesMacKey, '0200', asked)
  const first = await line.ask(message)
  const said = Buffer.from(message)
  said.write('0201', 'latin1')
  assert.equal((await line.ask(said)).fields[39], '30', 'that of the 0200 is none of the 0201')
  const again = await line.ask(withMac(tdesMacKey, '0201', asked))
  assert.deepEqual(again.bytes, first.bytes)
  // Who plays it back learns the answer once more, and moves nothing.
  assert.deepEqual((await line.ask(message)).bytes, first.bytes)
  assert.equal(done(await v1.get('/accounts/A'), 200)['ledger'], 94_000)
})

test('the MAC is the last field: 128 where there are fields above 64, else 64', async (t) => {
  const { line } = await serveMac(t, aesMacKey)
  const code = async (message: Buffer) => (await line.ask(message)).fields[39]
  const asked = () => request('310000', undefined, { 102: 'A' })
  const answer = await line.ask(withMac(aesMacKey, '0200', asked()))
  assert.deepEqual([answer.fields[39], answer.fields[64], answer.fields[102]], ['00', undefined, 'A'])
  assert.equal(answer.bytes.subarray(-16).toString('latin1'), answer.fields[128])
  // With a 64 that is only one more field; and with one where 128 must be.
  assert.equal(await code(withMac(aesMacKey, '0200', { ...asked(), 64: '0'.repeat(16) })), '00')
  const fields = asked()
  const { 102: _, ...below } = fields
  const mac64 = withMac(aesMacKey, '0200', below).subarray(-16).toString('latin1')
  assert.equal(await code(bare('0200', { ...fields, 64: mac64 })), '30')
  // One that always uses 128 has a field above 64: it is that one.
  const packed = bare('0200', { ...below, 11: nextStan(), 128: '0'.repeat(16) })
  const over = packed.subarray(0, -16)
  const mac = macOf(aesMacKey, over).toString('hex')
  assert.equal(await code(Buffer.concat([over, Buffer.from(mac)])), '00', 'small letters, too')
})

test('be16 in front of a message is no part of what the MAC is over', async (t) => {
  const { line } = await serveMac(t, tdesMacKey, '?framing=be16', { framing: 'be16' })
  const { bytes, fields } = await line.ask(withMac(tdesMacKey, '0200', request('010000', 1000)))
  assert.equal(fields[39], '00')
  assert.ok(hasMac(tdesMacKey, bytes))
})

test('BASE24: in its 64 of sixteen bytes the MAC is the first eight, and zeros are the rest', async (t) => {
  const { v1, listener } = await serveIso(t, { table: 'base24' })
  await giveKey(v1, tdesMacKey)
  const line = lineOf(t, listener.port, { spec: base24 })
  const message = withMac(tdesMacKey, '0200', request('010000', 1000), base24)
  assert.match(message.toString('latin1'), /[0-9A-F]{16}0{16}$/)
  const { bytes, fields } = await line.ask(message)
  assert.equal(fields[39], '00')
  assert.equal(fields[64]?.length, 32)
  assert.ok(hasMac(tdesMacKey, bytes, 32))
  const other = Buffer.from(message)
  other.write('1', other.length - 1, 'latin1')
  assert.equal((await line.ask(other)).fields[39], '30', 'something else behind it')
  const above = await line.ask(
    withMac(tdesMacKey, '0200', request('310000', undefined, { 102: 'A' }), base24),
  )
  assert.equal(above.fields[39], '00')
  assert.ok(hasMac(tdesMacKey, above.bytes))
})

test('a machine changes keys in the midst of its messages, and not one of them is refused', async (t) => {
  const { v1, listener, line } = await serveMac(t, tdesMacKey)
  const inquiry = (key: MacKey) => withMac(key, '0200', request('310000', undefined))
  const other = lineOf(t, listener.port)
  const talk = async (on: typeof line, key: MacKey) => {
    const { bytes, fields } = await on.ask(inquiry(key))
    assert.equal(fields[39], '00')
    assert.ok(hasMac(key, bytes), 'it is answered under the key that it has')
  }
  let isGiven = false
  const giving = pause(20).then(async () => {
    await giveKey(v1, aesMacKey)
    isGiven = true
  })
  for (let i = 0; !isGiven || i < 20; i += 1)
    await Promise.all([talk(line, tdesMacKey), talk(other, tdesMacKey)])
  await giving
  // Those that are on their way when the first one under the new key comes are heard, too.
  const sent = [...Array(20).fill(tdesMacKey), ...Array(20).fill(aesMacKey)] as MacKey[]
  const burst = sent.map((key) => frame(inquiry(key), 'digits4') ?? assert.fail())
  line.socket.write(Buffer.concat(burst))
  await until('all are answered', () => line.heard.length === sent.length)
  const said = line.heard
    .splice(0)
    .map((bytes) => [(parse(bytes, iso87a) as Message).fields[39], bytes] as const)
  assert.ok(said.every(([code]) => code === '00'))
  assert.equal(said.filter(([, bytes]) => hasMac(aesMacKey, bytes)).length, 20)

  const late = await other.ask(inquiry(tdesMacKey))
  assert.equal(late.fields[39], '30', 'the old key is done with')
  assert.ok(hasMac(aesMacKey, late.bytes))
  await talk(other, aesMacKey)
  const { events } = done(await v1.get('/events?limit=1000'), 200) as never as {
    events: { type: string; data: { change?: string; kcv?: string } }[]
  }
  const changes = events.flatMap(({ data: { change, kcv } }) => (change === 'mac_key' ? [kcv] : []))
  assert.deepEqual(changes, ['08D7B4', 'FDE4FB', 'FDE4FB'], 'the end of the old one is written once')
})

test('with no MAC key any more, and for terminals that have none, 64 and 128 say nothing', async (t) => {
  const { v1, line } = await serveMac(t, tdesMacKey)
  await giveKey(v1, { algorithm: 'none' })
  for (const more of [{}, { 64: 'F'.repeat(16) }, { 102: 'A', 128: '0'.repeat(16) }]) {
    const { fields } = await line.ask(bare('0200', request('010000', 1000, more)))
    assert.deepEqual([fields[39], fields[64], fields[128]], ['00', undefined, undefined])
  }
  await giveKey(v1, aesMacKey)
  assert.equal((await line.ask(bare('0200', request('010000', 1000)))).fields[39], '30')
  // A line that names no terminal is heard as it is.
  const echo = await line.ask(bare('0800', { 11: nextStan(), 70: '301' }))
  assert.deepEqual([echo.fields[39], echo.fields[128]], ['00', undefined])
  // What cannot be read is nobody's.
  const broken = Buffer.from(
    bare('0200', request('010000', 1000)).toString('latin1').replace('010000', '01x000'),
  )
  const unread = await line.ask(broken)
  assert.deepEqual([unread.fields[39], unread.fields[64]], ['30', undefined])
})

test('a MAC key that the server cannot open lets nobody in', async (t) => {
  const { v1, line } = await serveMac(t, tdesMacKey)
  const key = { algorithm: 'tdes', wrapped: 'w9:AAAA', kcv: 'AAAAAA' } as const
  await v1.cashpoint.bank.submit({
    command: { type: 'set_mac_key', terminal: 'ATM00001', key },
    actor: '',
  })
  const heard = await line.ask(withMac(tdesMacKey, '0200', request('010000', 1000)))
  assert.equal(heard.fields[39], '00', 'the one before is good still')
  const { fields } = await line.ask(bare('0200', request('010000', 1000)))
  assert.deepEqual([fields[39], fields[64]], ['30', undefined])
})

test('the example of the docs is what a machine says and hears', async (t) => {
  const page = readFileSync(join(import.meta.dirname, '../../docs/iso8583.md'), 'utf8')
  const section = page.split('### Message authentication\n')[1]?.split('\n### ')[0] ?? ''
  const [asked = '', answered = '', more = '', ...rest] = section
    .split('\n')
    .flatMap((line) => /^[<>] (0.*)$/.exec(line)?.[1] ?? [])
  const key = JSON.parse(/`(\{"algorithm":"tdes".*?\})`/.exec(section)?.[1] ?? '') as MacKey
  assert.deepEqual(rest, [])
  for (const message of [asked, answered, more]) assert.ok(hasMac(key, Buffer.from(message)), message)
  const { line } = await serveMac(t, key)
  const { bytes } = await line.ask(Buffer.from(asked))
  assert.equal(bytes.toString('latin1'), answered)
  assert.equal((await line.ask(Buffer.from(more))).fields[39], '00')
  // And what it would be under AES.
  const over = Buffer.from(asked.slice(0, -16))
  assert.equal(over.length, 63)
  assert.ok(section.includes(macOf(aesMacKey, over).toString('hex').toUpperCase()))
  for (const text of [aesMacKey.key, aesMacKey.kcv]) assert.ok(section.includes(text))
})
