/** Cash over ISO 8583: asked for once however often it is said, taken back by whatever names it, seen over REST. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  block,
  done,
  type Fields,
  nextStan,
  pans,
  request,
  reversalOf,
  sentAt,
  serveIso,
  wrongBlock,
} from './support.ts'

test('a withdrawal is approved, its repeat has the same answer, and REST shows it', async (t) => {
  const { dial, read, terminal, v1 } = await serveIso(t)
  const line = await dial()
  const asked = request('010000', 6000, { 37: '630012000042', 42: 'BANK00000000001' })
  const first = await line.ask('0200', asked)
  assert.equal(first[39], '00')
  assert.equal(first[54], `2001840C${'94000'.padStart(12, '0')}2002840C${'94000'.padStart(12, '0')}`)
  assert.match(first[38] ?? '', /^[0-9]{6}$/)
  for (const field of [2, 3, 4, 7, 11, 12, 13, 37, 41, 42, 49])
    assert.equal(first[field], asked[field], `${field}`)
  const again = await line.ask('0201', asked)
  assert.deepEqual(again, first)

  const id = `iso-1-${asked[11]}-${asked[13]}${asked[12]}`
  const told = await read(id)
  assert.equal(told['state'], 'authorized')
  assert.equal(told['confirmation'], 'implicit')
  assert.equal(told['stan'], asked[11])
  assert.equal(told['rrn'], '630012000042')
  assert.deepEqual((await terminal())['transit'], { uncertain: 0, unconfirmed: 6000 })
  const moved = done(await v1.get('/transfers?reference=630012000042'), 200)[
    'transfers'
  ] as unknown as object[]
  assert.deepEqual(
    moved.map((each) => [Reflect.get(each, 'operation'), Reflect.get(each, 'amount')]),
    [[`ATM00001/${id}`, 6000]],
  )
  done(await v1.post(`/terminals/ATM00001/withdrawals/${id}/reverse`, { reason: 'cancelled' }), 200)
  assert.equal((await line.ask('0201', asked))[39], '94')
  const balance = await line.ask('0200', request('310000', undefined))
  assert.equal(balance[54]?.slice(0, 20), '2001840C000000100000')
})

test('the same number with other content is a duplicate, and a repeat in a later batch is still a repeat', async (t) => {
  const { dial } = await serveIso(t)
  const line = await dial()
  const asked = request('010000', 6000)
  const first = await line.ask('0200', asked)
  for (const other of [
    { 2: pans.a, 52: block },
    { 3: '013000' },
    { 4: '000000007000' },
    { 49: '978' },
    { 102: 'B' },
  ])
    assert.equal((await line.ask('0201', { ...asked, ...other }))[39], '94', JSON.stringify(other))
  assert.equal((await line.ask('0520', { 7: '1123010000', 11: nextStan(), 41: 'ATM00001' }))[39], '00')
  const late = await line.ask('0201', asked)
  assert.deepEqual([late[38], late[39], late[54]], [first[38], '00', first[54]])
  // Sent anew at another time, it is another one.
  assert.notEqual((await line.ask('0200', { ...asked, 12: '235959' }))[38], first[38])
})

test('ten repeats at once on two sockets are one debit', async (t) => {
  const { dial, v1 } = await serveIso(t)
  const [one, two] = [await dial(), await dial()]
  const asked = request('010000', 5000)
  const answers = await Promise.all([one.ask('0200', asked), two.ask('0201', asked)])
  assert.deepEqual(answers[0], answers[1])
  assert.equal(done(await v1.get('/accounts/A'), 200)['ledger'], 95_000)
})

test('a reversal takes all back or leaves what stands, by 0400, 0401, 0420 and 0421', async (t) => {
  const { dial, read, exceptions } = await serveIso(t)
  const line = await dial()
  const stateOf = async (asked: Record<number, string>) => {
    const { state, dispensed } = await read(`iso-1-${asked[11]}-${asked[13]}${asked[12]}`)
    return [state, dispensed]
  }
  for (const mti of ['0400', '0401', '0420', '0421']) {
    const asked = request('010000', 6000)
    assert.equal((await line.ask('0200', asked))[39], '00')
    const undo = reversalOf('0200', asked)
    const answer = await line.ask(mti, undo)
    assert.deepEqual([answer[39], answer[90], answer[38], answer[95]], ['00', undo[90], undefined, undefined])
    assert.equal((await line.ask(mti, undo))[39], '00')
    assert.deepEqual(await stateOf(asked), ['reversed', 0])
  }
  const part = request('010000', 10_000)
  await line.ask('0200', part)
  const undo = reversalOf('0200', part, 4000)
  assert.equal((await line.ask('0420', undo))[39], '00')
  assert.equal((await line.ask('0421', undo))[39], '00')
  assert.deepEqual(await stateOf(part), ['partially_completed', 4000])
  // A 95 of zero is all of it.
  const all = request('010000', 6000)
  await line.ask('0200', all)
  await line.ask('0420', reversalOf('0200', all, 0))
  assert.deepEqual(await stateOf(all), ['reversed', 0])
  assert.deepEqual(await exceptions(), [])
})

test('a stock client sends 2, 3, 4, 11 and 41, and reverses by a bare STAN', async (t) => {
  const { dial, v1, exceptions } = await serveIso(t)
  const line = await dial()
  const asked = (stan: string) => ({ 2: pans.b, 3: '010000', 4: '000000006000', 11: stan, 41: 'ATM00001' })
  const first = await line.ask('0200', asked('000001'))
  assert.equal(first[39], '00')
  assert.match(first[37] ?? '', /^[0-9]{6}000001$/)
  assert.deepEqual(await line.ask('0200', asked('000001')), first)
  const undo = { ...asked('000002'), 90: '000001'.padStart(42, '0') }
  assert.equal((await line.ask('0400', undo))[39], '00')
  assert.equal((await line.ask('0400', undo))[39], '00')
  assert.equal(done(await v1.get('/accounts/A'), 200)['ledger'], 100_000)
  // By its own number, which is the original's by the book; and by the host's reference.
  await line.ask('0200', asked('000003'))
  assert.equal((await line.ask('0400', asked('000003')))[39], '00')
  const { 37: reference = '' } = await line.ask('0200', asked('000004'))
  assert.equal((await line.ask('0420', { ...asked('000005'), 37: reference }))[39], '00')
  assert.equal(done(await v1.get('/accounts/A'), 200)['ledger'], 100_000)
  assert.deepEqual(await exceptions(), [])
})

test('a reversal that comes before its original, on another socket, forbids it', async (t) => {
  const { dial, v1, exceptions } = await serveIso(t)
  const [one, two] = [await dial(), await dial()]
  const asked = request('010000', 6000)
  assert.equal((await two.ask('0420', reversalOf('0200', asked)))[39], '00')
  assert.equal((await one.ask('0200', asked))[39], '94')
  assert.equal((await one.ask('0201', asked))[39], '94')
  const bare = { 2: pans.b, 3: '010000', 4: '000000006000', 11: nextStan(), 41: 'ATM00001' }
  const undo = { ...bare, 11: nextStan(), 90: bare[11].padStart(42, '0') }
  assert.equal((await two.ask('0400', undo))[39], '00')
  assert.equal((await one.ask('0200', bare))[39], '94')
  assert.equal(done(await v1.get('/accounts/A'), 200)['ledger'], 100_000)
  assert.deepEqual(await exceptions(), [])
  // At once, whichever comes first: never debited in the end.
  for (let i = 0; i < 10; i += 1) {
    const asked = request('010000', 1000)
    await Promise.all([one.ask('0200', asked), two.ask('0420', reversalOf('0200', asked))])
  }
  assert.equal(done(await v1.get('/accounts/A'), 200)['ledger'], 100_000)
})

test('a reversal that names its original by 37 alone, and comes before it, forbids that one', async (t) => {
  const { dial, v1, exceptions } = await serveIso(t)
  const [one, two] = [await dial(), await dial()]
  const ledger = async () => done(await v1.get('/accounts/A'), 200)['ledger']
  const byReference = (asked: Fields): Fields => {
    const { 90: _, ...undo } = reversalOf('0200', asked)
    return { ...undo, 37: asked[37] ?? '' }
  }
  const asked = request('010000', 6000, { 37: 'REF900000001' })
  assert.equal((await two.ask('0420', byReference(asked)))[39], '00')
  // Another amount, and another kind, with the same reference: not what was meant.
  assert.equal((await one.ask('0200', request('010000', 5000, { 37: 'REF900000001' })))[39], '00')
  assert.equal((await one.ask('0200', request('400000', 6000, { 37: 'REF900000001', 103: 'B' })))[39], '00')
  assert.equal((await one.ask('0200', asked))[39], '94')
  assert.equal((await one.ask('0201', asked))[39], '94')
  assert.equal((await one.ask('0200', request('010000', 6000, { 37: 'REF900000001' })))[39], '00')
  assert.equal(await ledger(), 83_000)
  // At once, whichever comes first: never debited in the end.
  for (let i = 0; i < 10; i += 1) {
    const each = request(i % 2 === 0 ? '010000' : '400000', 1000, { 37: `REF9${nextStan()}`, 103: 'B' })
    await Promise.all([one.ask('0200', each), two.ask('0420', byReference(each))])
  }
  assert.equal(await ledger(), 83_000)
  assert.deepEqual(await exceptions(), [])
})

test('a repeat with another 7, and no clock beside it, may overtake what it repeats', async (t) => {
  const { dial, v1, exceptions } = await serveIso(t)
  const [one, two] = [await dial(), await dial()]
  const ledger = async () => done(await v1.get('/accounts/A'), 200)['ledger']
  const asked = sentAt(request('010000', 6000), -30)
  const again = await two.ask('0201', sentAt(asked))
  assert.equal(again[39], '00')
  const first = await one.ask('0200', asked)
  assert.deepEqual([first[38], first[39], first[54]], [again[38], '00', again[54]])
  assert.equal((await one.ask('0200', { ...asked, 4: '000000005000' }))[39], '94')
  assert.equal(await ledger(), 94_000)
  // Sent later, and not said to be a repeat: another customer.
  assert.equal((await one.ask('0200', sentAt(asked, 30)))[39], '00')
  assert.equal(await ledger(), 88_000)
  // Taken back by the time of the first, as it was sent.
  assert.equal((await two.ask('0420', reversalOf('0200', asked)))[39], '00')
  assert.equal((await one.ask('0200', asked))[39], '94')
  assert.equal(await ledger(), 94_000)
  // At once, whichever comes first, and the reversal as well: by 90, and by its own number and time alone.
  for (let i = 0; i < 10; i += 1) {
    const asked = sentAt(request('010000', 1000), -30)
    await Promise.all([one.ask('0200', asked), two.ask('0201', sentAt(asked))])
    assert.equal(await ledger(), 94_000 - 1000 * (i + 1))
  }
  const lost = sentAt(request('010000', 1000), -30)
  assert.equal((await two.ask('0420', sentAt(lost)))[39], '00')
  assert.equal((await one.ask('0200', lost))[39], '94')
  // Of a machine with a clock, too, which a reversal may have from its own hour.
  const clocked = request('010000', 1000, { 7: lost[7] ?? '', 12: '070000' })
  assert.equal((await two.ask('0420', { ...sentAt(clocked), 12: '070100', 13: clocked[13] ?? '' }))[39], '00')
  assert.equal((await one.ask('0200', clocked))[39], '94')
  assert.equal(await ledger(), 84_000)
  assert.deepEqual(await exceptions(), [])
})

test('what contradicts is answered 00 and is for a person', async (t) => {
  const { dial, v1, exceptions } = await serveIso(t)
  const line = await dial()
  const asked = request('010000', 6000)
  await line.ask('0200', asked)
  const undo = (more: object) => ({ ...reversalOf('0200', asked), ...more })
  for (const [i, more] of [
    { 4: '000000005000' },
    { 2: pans.a },
    { 95: 'x'.repeat(42) },
    { 3: '990000' },
    { 35: '4761739001010999=2512' },
  ].entries()) {
    const said = undo(more)
    assert.equal((await line.ask('0420', said))[39], '00', JSON.stringify(more))
    assert.equal((await line.ask('0421', said))[39], '00')
    assert.equal((await exceptions()).length, i + 1, JSON.stringify(more))
  }
  assert.equal(done(await v1.get('/accounts/A'), 200)['ledger'], 94_000)
  // A missing one says nothing against it.
  const { 2: _, 4: __, 90: ___, ...less } = undo({ 11: asked[11] })
  assert.equal((await line.ask('0420', less))[39], '00')
  assert.equal(done(await v1.get('/accounts/A'), 200)['ledger'], 100_000)
})

test('a PIN block is judged in 52 and in 123; a wrong one costs one try, however often it is said', async (t) => {
  const { dial, v1, card } = await serveIso(t)
  const line = await dial()
  const of = (more: object) => request('010000', 1000, { 2: pans.a, ...more })
  assert.equal((await line.ask('0200', of({})))[39], '55')
  assert.equal((await line.ask('0200', of({ 52: block })))[39], '00')
  const wrong = of({ 52: wrongBlock })
  assert.equal((await line.ask('0200', wrong))[39], '55')
  assert.equal((await line.ask('0201', { ...wrong, 52: block }))[39], '55')
  const balance = request('310000', undefined, { 2: pans.a, 52: wrongBlock })
  assert.equal((await line.ask('0200', balance))[39], '55')
  assert.equal((await line.ask('0201', balance))[39], '55')
  assert.equal((await line.ask('0200', of({ 52: wrongBlock })))[39], '75')
  assert.equal((await line.ask('0200', of({ 52: block })))[39], '75')
  // Format 4, under an AES key.
  const aes = { algorithm: 'aes', key: '00112233445566778899AABBCCDDEEFF', kcv: '' }
  const { createCipheriv } = await import('node:crypto')
  const kcv = createCipheriv('aes-128-ecb', Buffer.from(aes.key, 'hex'), null)
  aes.kcv = kcv.update(Buffer.alloc(16)).toString('hex').slice(0, 6).toUpperCase()
  const given = await v1.put('/terminals/ATM00001/pin-key', aes)
  if (given.status !== 204) {
    assert.equal(given.text, '', `kcv ${aes.kcv}`)
  }
  done(await v1.post(`/cards/${card}/pin`, { pin: '1234', reason: 'r' }), 200)
  const { encodePinBlock } = await import('../../src/vault/pin-block.ts')
  const key = { algorithm: 'aes', key: Buffer.from(aes.key, 'hex') } as const
  const right = request('010000', 1000, { 123: encodePinBlock(pans.b, '1234', key) })
  assert.equal((await line.ask('0200', right))[39], '00')
  const other = request('010000', 1000, { 123: encodePinBlock(pans.b, '4321', key) })
  assert.equal((await line.ask('0200', other))[39], '55')
})

test('amounts that there are no notes for are told below and above', async (t) => {
  const { dial } = await serveIso(t)
  const line = await dial()
  const answer = await line.ask('0200', request('010000', 5500))
  assert.deepEqual([answer[39], answer[44]], ['13', '000000005000000000006000'])
  const least = await line.ask('0200', request('010000', 500))
  assert.deepEqual([least[39], least[44]], ['13', '000000000000000000001000'])
  assert.equal((await line.ask('0200', request('010000', 0)))[39], '13')
})

test('a balance that was not heard is taken back, and there is nothing to it', async (t) => {
  const { dial, exceptions } = await serveIso(t)
  const line = await dial()
  const asked = request('310000', undefined)
  await line.ask('0200', asked)
  assert.equal((await line.ask('0420', { ...reversalOf('0200', asked), 4: '000000000000' }))[39], '00')
  assert.deepEqual(await exceptions(), [])
})

test('what stands behind the number in 90 is not taken for one', async (t) => {
  const { dial, v1 } = await serveIso(t)
  const line = await dial()
  const [one, two] = [request('010000', 6000), request('010000', 6000)]
  await line.ask('0200', one)
  // The original never came, and the forwarder's number ends like another one's.
  const forwarder = (one[11] ?? '').padStart(11, '9')
  const undo = { ...reversalOf('0200', two), 90: `0200${two[11]}${two[7]}${'0'.repeat(11)}${forwarder}` }
  assert.equal((await line.ask('0420', undo))[39], '00')
  assert.equal(done(await v1.get('/accounts/A'), 200)['ledger'], 94_000)
  assert.equal((await line.ask('0200', two))[39], '94')
})

test('both interfaces: confirmed over REST, reversed over ISO, and the other way round', async (t) => {
  const { dial, confirm, reverse, read, exceptions } = await serveIso(t)
  const line = await dial()
  const idOf = (asked: Record<number, string>) => `iso-1-${asked[11]}-${asked[13]}${asked[12]}`
  const [one, two] = [request('010000', 6000), request('010000', 6000)]
  for (const each of [one, two]) await line.ask('0200', each)
  assert.equal(done(await confirm(idOf(one), { C1: 1, C3: 1 }), 200)['state'], 'completed')
  assert.equal((await line.ask('0420', reversalOf('0200', one)))[39], '00')
  assert.deepEqual(
    (await exceptions()).map(({ type }) => type),
    ['reverse_after_confirm'],
  )
  assert.equal(done(await reverse(idOf(two)), 200)['state'], 'reversed')
  assert.equal((await line.ask('0420', reversalOf('0200', two)))[39], '00')
  assert.equal((await read(idOf(two)))['state'], 'reversed')
  assert.equal((await exceptions()).length, 1)
})

test('a reversal whose 90 has no type, and the STAN and time of its original, finds it', async (t) => {
  const { dial } = await serveIso(t)
  const line = await dial()
  const original = { 2: pans.b, 3: '010000', 4: '000000006000', 41: 'ATM00001' }
  const asked = { ...original, 11: nextStan(), 7: '1126201539' }
  assert.equal((await line.ask('0200', asked))[39], '00')
  const named = `0000${asked[11]}${asked[7]}`.padEnd(42, '0')
  const undo = { ...original, 11: nextStan(), 7: '1126201610', 90: named }
  assert.equal((await line.ask('0420', undo))[39], '00')
  assert.equal((await line.ask('0201', asked))[39], '94', 'it was taken back')
})
