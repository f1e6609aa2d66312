// Card numbers, PINs, PIN blocks, keys of terminals and MACs pass through a server and stay nowhere: not in its log, its files, a backup,
// an export, an event, an error or any other answer, whatever is done with them, right or wrong.

import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { encodePinBlock } from '../../src/vault/pin-block.ts'
import { freePort, lineOf, request } from '../iso8583/support.ts'
import { alsoSecret, assertNoSecrets, assertNoSecretsIn, secretIn } from '../support/card-secrets.ts'
import { aesMacKey, tdesMacKey, withMac } from '../support/macs.ts'
import { place, run, serve } from './support.ts'

const pan = '4761739001010119'
const otherPan = '4761739001020001'
const pin = '918273'
const newPin = '564738'
const tdesKey = '0123456789ABCDEFFEDCBA9876543210'
const tdes = { algorithm: 'tdes', key: Buffer.from(tdesKey, 'hex') } as const

test('whatever is done with cards and PINs, nothing of them is in a log, a file, a copy or an answer', async (t) => {
  const { path, directory } = place(t)
  const port = await freePort()
  const env = { CASHPOINT_LOG_LEVEL: 'trace', CASHPOINT_ISO8583: `iso87a://localhost:${port}` }
  const server = await serve(t, { path, env })
  const blocks = [pin, newPin, '0000'].map((each) => encodePinBlock(pan, each, tdes))
  alsoSecret(pin, newPin, tdesKey, ...blocks)
  const answers: string[] = []
  const ask = async (route: string, body?: object | string, method = 'POST') => {
    const headers = { 'content-type': 'application/json', 'idempotency-key': `k${answers.length}` }
    const text = typeof body === 'string' ? body : JSON.stringify(body)
    const sent = body === undefined ? {} : { method, headers, body: text }
    const answer = await fetch(server.url + route, sent)
    answers.push(`${await answer.text()} ${JSON.stringify([...answer.headers])}`)
    return answer.status
  }
  const T = '/v1/terminals/ATM00001'
  const usd = { currency: 'USD' }
  const card = { pan: otherPan, expiry: '2912', accounts: [{ account: '123456789', type: 'checking' }] }
  // Whether the number's check digit is right, the server says; the card is made with one that is.
  const good = [
    '4761739001020001',
    '4761739001020019',
    '4761739001020027',
    '4761739001020035',
    '4761739001020043',
  ]
  const made = await Promise.all(good.map((each) => ask('/v1/cards', { ...card, pan: each, pin })))
  assert.ok(made.includes(201), `a card is made: ${made}`)

  const statuses = [
    await ask(`${T}/withdrawals`, { id: 'w1', pan, pin: '1234', amount: 6000, ...usd }),
    await ask(`${T}/withdrawals/w1/start`, {}),
    await ask(`${T}/withdrawals/w1/confirm`, { units: { C1: 1, C3: 1 } }),
    await ask(`${T}/pin-key`, { algorithm: 'tdes', key: tdesKey, kcv: '08D7B4' }, 'PUT'),
    await ask(`${T}/withdrawals`, { id: 'w2', pan, pin, amount: 6000, ...usd }),
    await ask(`${T}/withdrawals`, { id: 'w3', pan, pin_block: blocks[0], amount: 6000, ...usd }),
    await ask(`${T}/inquiries`, { pan, pin: '1234', type: 'statement' }),
    await ask(`${T}/pin-changes`, { id: 'p1', pan, pin: '1234', new_pin: newPin }),
    await ask(`${T}/pin-changes`, { id: 'p2', pan, pin: newPin, new_pin_block: blocks[0] }),
    await ask(`${T}/deposits`, { id: 'd1', pan, ...usd, notes: { '5000': 2 } }),
    await ask(`${T}/transfers`, { id: 't1', pan, pin, to: '987654321', amount: 1, ...usd }),
  ]
  assert.deepEqual(statuses, [201, 200, 200, statuses[3], 403, 403, 200, 200, 200, 201, statuses[10]])
  // What is wrong in every way in which it can be, with the secrets in it.
  for (const body of [
    { id: 'x', pan, pin, amount: 'x', ...usd },
    { id: 'x', pan: `${pan}x`, pin, amount: 1, ...usd },
    { id: 'x', pan, pin: `${pin}x`, amount: 1, ...usd },
    { id: `a-${pan}`, pan, pin, amount: 1, ...usd },
    { id: 'x', pan, pin, pin_block: blocks[0], amount: 1, ...usd },
    { id: 'x', pan, pin, amount: 1, ...usd, extra: pan, more: { pin } },
    `{"id": "x", "pan": "${pan}", "pin": "${pin}"`,
    `{"pan": "${pan}", "pan": "${pan}"}`,
    `{"pan": ${pan}.5}`,
    `["${pan}", "${pin}"]`,
    { id: 'x', pan, pin, amount: 1, ...usd, [pan]: 1, 7391846250: 2 },
    { id: 'x', pan, pin, amount: 1, ...usd, account: pan.repeat(3) },
    { id: 'x', pan: Number(pan), pin: Number(pin), amount: 1, ...usd },
    { id: 'x', pan, pin, amount: 1, ...usd, mix: { [pan]: 1 } },
    `{"pan":"${pan}","pin":"${pin}",x}`,
    `${pan}x${pin}`,
    `{"${pan}":1,"${pan}":2}`,
  ])
    await ask(`${T}/withdrawals`, body)
  await ask('/v1/cards', { ...card, pan: '4761739001020002', pin })
  await ask('/v1/cards', { ...card, expiry: pan })
  await ask(`${T}/pin-key`, { algorithm: 'tdes', key: tdesKey, kcv: '000000' }, 'PUT')
  await ask(`${T}/mac-key`, aesMacKey, 'PUT')
  await ask(`${T}/mac-key`, { ...aesMacKey, kcv: '000000' }, 'PUT')
  alsoSecret(aesMacKey.key)
  const line = lineOf(t, port)
  for (const key of [aesMacKey, tdesMacKey]) {
    const message = withMac(key, '0200', request('310000', undefined, { 2: pan, 52: blocks[0] ?? '' }))
    const { bytes, fields } = await line.ask(message)
    assert.equal(fields[39], key === aesMacKey ? '00' : '30')
    alsoSecret(...[message, bytes].map((each) => each.subarray(-16).toString('latin1')))
  }
  for (const route of ['/v1/events?limit=1000', '/v1/audit', '/metrics', '/v1/exceptions', T])
    await ask(route)

  const running = readdirSync(directory)
  assertNoSecretsIn(directory)
  const [copy, lines] = [join(directory, 'copy.db'), join(directory, 'lines.jsonl')]
  assert.equal((await run(['backup', copy, '--store', `sqlite:${path}`])).code, 0)
  await server.stop()
  const exported = await run(['export', '--store', `sqlite:${path}`])
  assertNoSecrets('an export', exported.stdout)
  assert.ok(exported.stdout.includes('withdrawal_authorized'), lines)
  assertNoSecretsIn(directory)
  assertNoSecrets('the log', server.log.join('\n'))
  assert.ok(
    server.log.some((line) => line.includes('no right MAC')),
    'a wrong MAC is told',
  )
  for (const [i, text] of answers.entries()) assertNoSecrets(`answer ${i}`, text)
  assert.ok(running.length >= 4 && server.log.length > 20, 'there is something to look through')
})

test('what looks for secrets finds them', () => {
  assert.match(secretIn(`x${pan}x`) ?? '', /0119$/)
  alsoSecret('c0ffee')
  assert.match(secretIn('C0FFEE') ?? '', /secret/)
  assert.equal(secretIn('4761'), undefined)
})
