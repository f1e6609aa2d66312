/** What a stranger tries beside the day's business: keys, PINs, every no, bytes that are no message, and a host that is killed. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { assertProves } from '../process/support.ts'
import { checkOf, type Fields, framed, type Key, macOf, pack, pinBlock } from './stranger-client.ts'
import { openHost, pinKey, typed, yes } from './stranger-host.ts'
import { amount, balances, day, leastOf, type Machine, newPan, next, reference } from './stranger-machine.ts'

const host = await openHost({ after })

const aesKey: Key = { algorithm: 'aes', key: '00112233445566778899AABBCCDDEEFF' }

test('the document’s own bytes', async () => {
  const atm = await host.connect('ATM00001')
  const key: Key = { algorithm: 'tdes', key: '0123456789ABCDEFFEDCBA9876543210' }
  const signOn = '0800822000000080000004000000000000011123010000000001ATM00001001'
  const echo = await atm.line.say('080080200000000000000400000000000000000001301')
  assert.equal(echo?.text, '08108020000002000000040000000000000000000100301')
  assert.equal(checkOf(key), '08D7B4')
  await host.office.ask('PUT', '/terminals/ATM00001/mac-key', { ...key, kcv: '08D7B4' }, 204)
  assert.equal(macOf(signOn, key), '26E15E855716D0ED')
  const answer = await atm.line.say(`${signOn}26E15E855716D0ED`)
  assert.equal(
    answer?.text,
    '081082200000028000000400000000000001112301000000000100ATM00001001C509C7A2B8318BA5',
  )
  const asked = {
    2: '4761739001010127',
    3: '310000',
    7: '1123010000',
    11: '000002',
    12: '010000',
    13: '1123',
  }
  const sample =
    '0200623800000080800116476173900101012731000011230100000000020100001123ATM00001840208D64E8B362391B'
  assert.equal(pack('0200', { ...asked, 41: 'ATM00001', 49: '840' }, key), sample)
  atm.key = key
  const whole = { ...asked, 41: 'ATM00001', 49: '840' }
  await atm.says('0200', whole, { ...yes, 37: reference, 54: balances('20', 250_000) })
  await host.office.ask('PUT', '/terminals/ATM00001/mac-key', { algorithm: 'none' }, 204)
  assert.equal(macOf(signOn, aesKey), 'A4DCE59CDC7D8474')
})

test('signing on, and what is asked of a card', async () => {
  const { atm, other, card } = await host.morning('EARLY001', { require_sign_on: true })
  const { pan } = card
  const about = (code: string, more: Fields = {}) => atm.request(code, undefined, { 2: pan, ...more })
  const told = { ...yes, 54: balances('20', card.balance) }
  const service = (more: Fields) => ({ 7: '1126120000', 11: next(), 41: 'EARLY001', ...more })
  await atm.says('0100', about('310000'), { 39: '58' })
  await atm.says('0800', service({ 70: '001' }), yes)
  await atm.says('0800', { 11: next(), 70: '061' }, yes)
  await atm.says('0800', service({ 41: 'NOBODY01', 70: '001' }), { 39: '58' })
  await atm.says('0800', service({ 70: '999' }), { 39: '40' })
  await atm.says('0800', service({}), { 39: '30' })
  for (const [mti, code] of [
    ['0100', '300000'],
    ['0200', '310000'],
    ['0100', '312000'],
    ['0101', '310000'],
  ] as const)
    await atm.says(mti, about(code), told)
  await atm.says('0200', about('310000', { 102: card.account }), told)
  await atm.says('0200', about('310000', { 102: '123456789' }), { 39: '14' })
  await atm.says('0200', about('311000'), { 39: '57' })
  await atm.says('0100', about('010000', { 4: amount(1000) }), { 39: '12' })
  const { 2: _, ...track } = about('310000', { 35: `${pan}=99122010000012300000` })
  await atm.says('0100', track, told)
  await atm.says('0100', { 2: pan, 3: '310000', 11: next(), 41: 'EARLY001' }, { ...told, 37: reference })
  await atm.says('0100', about('310000', { 18: '6011', 22: '051', 43: ' '.repeat(40) }), told)

  const always = await host.office.issue(newPan(), 100_000, { pin_policy: 'always' })
  const enter = (entered: Fields) => atm.request('310000', undefined, { 2: always.pan, ...entered })
  await atm.says('0200', enter({}), { 39: '55' })
  await atm.says('0200', enter(typed(always.pan)), told)
  await host.givePinKey('EARLY001', aesKey)
  await atm.says('0200', enter(typed(always.pan)), told)
  await atm.says('0200', enter({ 123: pinBlock(aesKey, always.pan, '1234') }), told)
  await atm.says('0200', enter(typed(always.pan)), { 39: '55' })
  await host.givePinKey('EARLY001', pinKey)
  await atm.says('0200', enter(typed(always.pan)), told)
  for (const code of ['55', '55', '75']) {
    const wrong = enter(typed(always.pan, '9999'))
    await atm.says('0200', wrong, { 39: code })
    await other.says('0201', wrong, { 39: code })
  }
  await atm.says('0200', enter(typed(always.pan)), { 39: '75' })
  await host.office.ask('POST', `/cards/${always.id}/pin`, { pin: '1234', reason: 'locked' })

  const change = (old: string, then: string) => {
    const blocks = { ...typed(pan, old), 62: pinBlock(pinKey, pan, then) }
    return about('920000', blocks)
  }
  const changed = change('1234', '2468')
  await atm.says('0200', changed, { ...yes, 15: day })
  await other.says('0201', changed, { ...yes, 15: day })
  await atm.says('0200', change('1234', '1111'), { 39: '55' })
  await atm.says('0200', about('920000', { ...typed(pan, '2468'), 62: '0123456789ABCDEF' }), { 39: '55' })
  await atm.says('0200', about('920000', typed(pan, '2468')), { 39: '30' })
  await atm.says('0420', atm.reversal(changed), yes)
  assert.deepEqual(await host.office.exceptions('EARLY001'), ['unknown_advice'])
  await atm.says('0100', about('310000', typed(pan, '2468')), told)
  await atm.says('0800', service({ 70: '002' }), yes)
  await atm.says('0100', about('310000'), { 39: '58' })
})

test('every no has its code', async () => {
  const { atm, card } = await host.morning('NOES0001')
  const no = async (code: string, minor: number | undefined, expected: Fields, more: Fields = {}) => {
    await atm.says('0200', atm.request(code, minor, { 2: card.pan, ...more }), expected)
  }
  await no('010000', 5500, { 39: '13', 44: `${amount(5000)}${amount(6000)}` })
  await no('010000', 500, { 39: '13', 44: `${amount(0)}${amount(1000)}` })
  await no('010000', 0, { 39: '13' })
  await no('010000', undefined, { 39: '30' })
  await no('010000', 1000, { 39: '12' }, { 49: '978' })
  await no('990000', 1000, { 39: '12' })
  await no('010000', 1000, { 39: '14' }, { 2: '4000000000000002' })
  await no('010000', 1000, { 39: '58' }, { 41: 'NOBODY02' })
  await no('010000', 200_000, { 39: '51' })
  await no('400000', 1000, { 39: '30' })
  await no('400000', 1000, { 39: '14' }, { 103: 'nobody' })
  for (const field of [2, 3, 41]) {
    const { [field]: _, ...rest } = atm.request('010000', 1000, { 2: card.pan })
    await atm.says('0200', rest, { 39: '30' })
  }
  for (const mti of ['0300', '0600']) await atm.says(mti, atm.request('010000', 1000), { 39: '40' })
  const states = [
    ['blocked', '62'],
    ['lost', '41'],
    ['stolen', '43'],
  ] as const
  for (const [status, code] of states) {
    const { pan, id } = await host.office.issue(newPan(), 5000)
    await host.office.ask('POST', `/cards/${id}/block`, { status, reason: 'said so' })
    await no('010000', 1000, { 39: code }, { 2: pan })
  }
  for (const [state, code, money] of [
    ['frozen', '57', 5000],
    ['closed', '45', 0],
  ] as const) {
    const { pan, account } = await host.office.issue(newPan(), money)
    await host.office.ask('POST', `/accounts/${account}/state`, { state, reason: 'said so' })
    await no('010000', 1000, { 39: code }, { 2: pan })
  }
  const limits = [
    [{ limits: { daily_amount: 500 } }, '61'],
    [{ limits: { daily_count: 0 } }, '65'],
    [{ expiry: '2001' }, '54'],
  ] as const
  for (const [more, code] of limits) {
    const { pan } = await host.office.issue(newPan(), 5000, more)
    await no('010000', 1000, { 39: code }, { 2: pan })
  }
  const poor = await host.office.issue(newPan(), 500)
  const declined = atm.request('010000', 1000, { 2: poor.pan })
  await atm.says('0200', declined, { 39: '51' })
  await host.office.ask('POST', '/deposits', { account: poor.account, amount: 5000, currency: 'USD' }, 201)
  await atm.says('0201', declined, { 39: '51' })
  await host.agrees(card, { ...poor, balance: 5500 })
})

test('a machine with a MAC key is heard by it alone', async () => {
  const { atm, other, card } = await host.morning('MACS0001')
  const { pan } = card
  const about = () => atm.request('310000', undefined, { 2: pan })
  const told = { ...yes, 54: balances('20', card.balance) }
  const keys: Key[] = [
    { algorithm: 'tdes', key: '89ABCDEF01234567FEDCBA9876543210' },
    { algorithm: 'tdes', key: '89ABCDEF01234567FEDCBA98765432100123456789ABCDEF' },
    aesKey,
    { algorithm: 'aes', key: `${aesKey.key}0123456789ABCDEF` },
    { algorithm: 'aes', key: `${aesKey.key}${pinKey.key}` },
  ]
  const give = (key: Key) =>
    host.office.ask('PUT', '/terminals/MACS0001/mac-key', { ...key, kcv: checkOf(key) }, 204)
  const unheard = async (from: Machine, mti: string, fields: Fields) => {
    const told = await from.line.say(pack(mti, fields, from.key))
    const { 39: code, 64: short, 128: long, ...rest } = told?.message.fields ?? {}
    assert.deepEqual([code, rest], ['30', leastOf(fields)])
    assert.equal(long ?? short, macOf(told?.text.slice(0, -16) ?? '', keys[0] ?? assert.fail()))
  }
  await give(keys[0] ?? assert.fail())
  await unheard(other, '0200', about())
  await unheard(other, '0800', { 11: next(), 41: 'MACS0001', 70: '001' })
  await other.says('0800', { 11: next(), 70: '301' }, yes)
  atm.key = keys[0]
  const withdrawn = await atm.withdraws(card, 1000)
  const text = pack('0200', withdrawn, atm.key)
  const broken = await atm.line.say(`${text.slice(0, -1)}${text.endsWith('0') ? '1' : '0'}`)
  assert.equal(broken?.message.fields[39], '30')
  await atm.says('0201', withdrawn, atm.approved(card))
  await unheard(other, '0420', other.reversal(withdrawn))
  await unheard(other, '0520', { 11: next(), 41: 'MACS0001' })
  for (let tries = 0; tries < 4; tries++) await unheard(other, '0200', { ...about(), ...typed(pan, '9999') })
  await host.agrees(card)
  const left = { ...yes, 54: balances('20', card.balance) }
  await atm.says('0200', { ...about(), ...typed(pan) }, left)
  await atm.says('0800', { 11: next(), 41: 'MACS0001', 70: '001' }, yes)
  await atm.says('0420', atm.reversal(withdrawn), yes)
  card.balance += 1000
  await host.agrees(card)

  for (const key of keys.slice(1)) {
    await give(key)
    await atm.says('0200', about(), told)
    other.key = key
    // Of every length, so that last blocks are full once and cut short otherwise.
    for (let length = 1; length <= 11; length++)
      await other.says('0200', { ...about(), 32: '1'.repeat(length) }, told)
    const stale = await atm.line.say(pack('0200', about(), atm.key))
    assert.equal(stale?.message.fields[39], '30')
    atm.key = key
  }
  const last = keys[0] ?? assert.fail()
  await give(last)
  await give(last)
  const ended = await atm.line.say(pack('0200', about(), atm.key))
  assert.equal(ended?.message.fields[39], '30')
  atm.key = last
  await atm.says('0200', about(), told)
  await host.office.ask('PUT', '/terminals/MACS0001/mac-key', { algorithm: 'none' }, 204)
  atm.key = undefined
  await atm.says('0200', { ...about(), 64: '0123456789ABCDEF' }, told)
})

test('a line carries what is whole, and closes over what is not', async () => {
  const { atm, card } = await host.morning('LINES001')
  const { pan } = card
  const told = { ...yes, 54: balances('20', card.balance) }
  const about = () => atm.request('310000', undefined, { 2: pan })
  const echo = () => ({ 11: next(), 70: '301' })
  atm.line.write('00000000')
  await atm.says('0800', echo(), yes)
  await Promise.all(Array.from({ length: 200 }, () => atm.says('0200', about(), told)))
  const whole = about()
  const text = pack('0200', whole)
  for (const wrong of [`${text}00`, text.slice(0, 64), text.replace('310000', '31x000')]) {
    const answer = await atm.line.say(wrong, whole[11])
    const { 12: _, 13: __, 37: ___, 41: ____, ...known } = leastOf(whole)
    const told = { ...(wrong.length > 64 ? leastOf(whole) : known), 39: '30' }
    assert.deepEqual(answer?.message.fields, told, wrong)
  }
  atm.line.write(framed(pack('0810', { ...echo(), 39: '00' })))
  await atm.says('0800', echo(), yes)
  assert.deepEqual(atm.line.unasked, [])
  const nothing = [
    '00x1',
    '4097',
    '9999',
    framed('x'.repeat(40)),
    framed('1800'),
    framed(`1800${pack('0800', echo()).slice(4)}`),
    'GET / HTTP/1.1',
    framed(pack('0800', { 70: '301' })),
  ]
  for (const bytes of nothing) {
    const { line } = await host.connect('LINES001')
    line.write(bytes)
    await line.closed
    assert.deepEqual(line.unasked, [], bytes)
  }
  const { line } = await host.connect('LINES001')
  for (let times = 1; times <= 10; times++) line.write(framed(`${pack('0200', about())}0`))
  await line.closed
  assert.equal(line.unasked.length, 10)
})

test('of a host that is killed under withdrawals, each that it said yes to is debited once', async () => {
  await host.office.install('KILLED01')
  const cards = await Promise.all([1, 2, 3].map(() => host.office.issue(newPan(), 80_000)))
  const lines = await Promise.all([1, 2, 3].map(() => host.connect('KILLED01')))
  const asked: Fields[] = []
  const answers = new Map<Fields, string>()
  const worker = async (atm: Machine) => {
    for (;;) {
      const { pan = '' } = cards[asked.length % cards.length] ?? {}
      const one = atm.request('010000', [1000, 2000, 5000][asked.length % 3], { 2: pan })
      asked.push(one)
      const heard = await atm.line.say(pack('0200', one))
      if (heard === undefined) return
      answers.set(one, `${heard.message.fields[39]} ${heard.message.fields[38]}`)
      if (answers.size === 40) await host.kill()
    }
  }
  await Promise.all(lines.flatMap((atm) => Array.from({ length: 12 }, () => worker(atm))))
  const lost = asked.filter((one) => !answers.has(one))
  assert.ok(lost.length > 0, 'some were not answered')
  await host.restart()

  const atm = await host.connect('KILLED01')
  const again = async (one: Fields) => {
    const { 38: code, 39: said } = (await atm.hear('0201', { ...one, 7: '0101000000' })).fields
    const known = answers.get(one) ?? `${said} ${code}`
    assert.equal(`${said} ${code}`, known)
    answers.set(one, known)
  }
  await Promise.all(asked.map(again))
  for (const card of cards) {
    const own = asked.filter((one) => one[2] === card.pan && answers.get(one)?.startsWith('00 '))
    card.balance -= own.reduce((sum, one) => sum + Number(one[4]), 0)
    const { entries } = await host.office.ask('GET', `/accounts/${card.account}/entries?limit=500`)
    const debits = entries.filter((entry: { direction: string }) => entry.direction === 'debit')
    const references = debits.map((entry: { reference: string }) => entry.reference).sort()
    assert.deepEqual(references, own.map((one) => one[37]).sort())
  }
  await host.agrees(...cards)
  const { transit } = await host.office.ask('GET', '/terminals/KILLED01')
  assert.equal(transit.unconfirmed, 3 * 80_000 - cards.reduce((sum, { balance }) => sum + balance, 0))
  await host.stop()
  await assertProves(host.path)
})
