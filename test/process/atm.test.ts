// The ATM side of the real program: what a newcomer types, what is kept of cards and PINs, and the keys it is kept under.

import assert from 'node:assert/strict'
import { createCipheriv } from 'node:crypto'
import { readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { assertOneLine, assertProvesHere, place, run, type Server, serve } from './support.ts'

const pans = ['4761739001010119', '4761739001010127', '4761739001010135']
const json = { 'content-type': 'application/json' }

async function ask(
  server: Server,
  path: string,
  body?: object | string,
  headers: Record<string, string> = {},
) {
  const text = typeof body === 'string' ? body : body && JSON.stringify(body)
  const sent =
    text === undefined ? { headers } : { method: 'POST', body: text, headers: { ...json, ...headers } }
  const answer = await fetch(server.url + path, sent)
  const said = await answer.text()
  return { status: answer.status, text: said, body: said.startsWith('{') ? JSON.parse(said) : {} }
}

test('a newcomer’s withdrawal; a second start makes nothing; the first credential ends the demo', async (t) => {
  const { path } = place(t)
  const first = await serve(t, { path })
  const at = '/v1/terminals/ATM00001'
  const w1 = { id: 'w1', pan: pans[0], pin: '1234', amount: 6000, currency: 'USD' }
  assert.equal((await ask(first, `${at}/withdrawals`, w1)).body.state, 'authorized')
  assert.equal((await ask(first, `${at}/withdrawals/w1/start`, {})).body.state, 'dispensing')
  const confirmed = await ask(first, `${at}/withdrawals/w1/confirm`, { units: { C1: 1, C3: 1 } })
  assert.deepEqual([confirmed.body.state, confirmed.body.dispensed], ['completed', 6000])
  assert.equal((await ask(first, '/accounts/123456789/balance?simple=true')).text, '940.00')
  assert.equal((await ask(first, '/accounts')).body.total_accounts, 3)
  const before = (await ask(first, `${at}`)).text
  await first.stop()

  const second = await serve(t, { path })
  assert.equal((await ask(second, at)).text, before)
  const { key } = (await ask(second, '/v1/credentials', { role: 'admin', name: 'ann' })).body
  const mine = { authorization: `Bearer ${key}` }
  assert.equal((await ask(second, at)).status, 401)
  assert.equal((await ask(second, at, undefined, mine)).body.state, 'out_of_service')
  const card = confirmed.body.card
  assert.equal((await ask(second, `/v1/cards/${card}`, undefined, mine)).body.status, 'blocked')
  await second.stop()

  const third = await serve(t, { path })
  assert.equal((await ask(third, at, undefined, mine)).body.state, 'out_of_service')
  await third.stop()
  assertProvesHere(path)
})

test('a store of another set of keys is not served, in one line', async (t) => {
  const { path } = place(t)
  await (await serve(t, { path })).stop()
  const keys = join(dirname(path), 'keys.json')
  renameSync(keys, `${keys}.away`)
  const start = () => run(['serve', '--store', `sqlite:${path}`, '--port', '0'])
  assertOneLine(
    await start(),
    2,
    /another key pan:1 that the cards of this store were made with.*CASHPOINT_KEYS/,
  )
  rmSync(keys)
  renameSync(`${keys}.away`, keys)
  const text = JSON.parse(readFileSync(keys, 'utf8'))
  writeFileSync(keys, JSON.stringify({ ...text, pin: ['1'.repeat(64), text.pin] }), { mode: 0o600 })
  assertOneLine(await start(), 2, /another key pin:1/)
  // A newer key behind the old one is one more that is known from now on.
  writeFileSync(keys, JSON.stringify({ ...text, pin: [text.pin, '1'.repeat(64)] }), { mode: 0o600 })
  const server = await serve(t, { path })
  const w1 = { id: 'w1', pan: pans[0], pin: '1234', amount: 1000, currency: 'USD' }
  assert.equal((await ask(server, '/v1/terminals/ATM00001/withdrawals', w1)).status, 201)
  await server.stop()
  writeFileSync(keys, JSON.stringify(text), { mode: 0o600 })
  assertOneLine(await start(), 2, /no.* key pin:2/)
})

test('terminals pin-key takes a key from the standard input, and what is wrong with it is one line', async (t) => {
  const { path } = place(t)
  await (await serve(t, { path })).stop()
  const key = '0123456789ABCDEFFEDCBA9876543210'
  const put = (args: readonly string[], input: string) =>
    run(['terminals', 'pin-key', ...args, '--store', `sqlite:${path}`], {}, input)
  const flags = ['--algorithm', 'tdes', '--kcv', '08D7B4']
  const done = await put(['ATM00001', ...flags], `${key}\n`)
  assert.deepEqual(done, { code: 0, stdout: 'Terminal ATM00001 has the key 08D7B4.\n', stderr: '' })
  assertOneLine(
    await put(['ATM00001', '--algorithm', 'tdes', '--kcv', '08D7B5'], key),
    2,
    /another check value/,
  )
  assertOneLine(await put(['ATM00001', ...flags], 'no key'), 2, /no tdes key/)
  assertOneLine(await put(['NONE', ...flags], key), 2, /there is no terminal NONE/)
  assertOneLine(await put(['ATM00001', '--kcv', '08D7B4'], key), 2, /--algorithm must be/)
  assertOneLine(await put([], key), 2, /say terminals pin-key/)

  // The block of 1234 for the first card under that key, by hand: ISO 9564 format 0.
  const server = await serve(t, { path })
  const block = blockOf('1234', pans[0] ?? '', key)
  const w1 = { id: 'w1', pan: pans[0], pin_block: block, amount: 1000, currency: 'USD' }
  assert.equal((await ask(server, '/v1/terminals/ATM00001/withdrawals', w1)).body.state, 'authorized')
  const wrong = { ...w1, id: 'w2', pin_block: blockOf('1235', pans[0] ?? '', key) }
  assert.equal((await ask(server, '/v1/terminals/ATM00001/withdrawals', wrong)).body.code, 'pin_incorrect')
  await server.stop()
  const found = readdirSync(dirname(path)).filter((name) =>
    readFileSync(join(dirname(path), name), 'latin1')
      .toUpperCase()
      .includes(key),
  )
  assert.deepEqual(found, [], 'the key is in no file')
})

/** ISO 9564-1 format 0, written here once more: the PIN field and twelve digits of the number, under two keys of DES. */
function blockOf(pin: string, pan: string, key: string): string {
  const digits = `0${pin.length}${pin}`.padEnd(16, 'F')
  const account = pan.slice(-13, -1).padStart(16, '0')
  const clear = Buffer.from(digits, 'hex').map((byte, i) => byte ^ (Buffer.from(account, 'hex')[i] ?? 0))
  const cipher = createCipheriv('des-ede', Buffer.from(key, 'hex'), null).setAutoPadding(false)
  return Buffer.concat([cipher.update(clear), cipher.final()]).toString('hex')
}
