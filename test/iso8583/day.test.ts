/** A day of a machine: sign on, completions, deposits, totals, cutover; and the golden bytes of all of it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { done, type Fields, nextStan, pans, request, reversalOf, serveIso, timeIn } from './support.ts'

const n = (count: number) => String(count).padStart(10, '0')
const a = (amount: number) => String(amount).padStart(16, '0')

test('golden bytes in, golden bytes out', async (t) => {
  const { dial, v1, exceptions } = await serveIso(t)
  const line = await dial()
  line.write('00630800822000000080000004000000000000001123010000000001ATM00001001')
  line.write(
    '019402007238448128C09000164761739001010119310000000000000000112301000200000301000211236011051021100000000001344761739001010119=25122011758928889000000000003ATM00001BANK0000000000184085563E517DCF122E',
  )
  line.write(
    '02350420F23800010AC08000000000420000000016476173900101011901000000000001000011230101030000050100031123110000000000100000000000468ATM00001BANK00000000001840020000000411230100030000000000100000000000000000004000000000000000C00000000C00000000',
  )
  await new Promise((resolve) => setTimeout(resolve, 500))
  const answers = [...line.frames].sort()
  assert.deepEqual(
    answers.filter((frame) => frame.slice(4, 8) === '0810'),
    ['0065081082200000028000000400000000000000112301000000000100ATM00001001'],
  )
  const balance = answers.find((frame) => frame.slice(4, 8) === '0210')
  assert.equal(
    balance,
    `${String((balance?.length ?? 4) - 4).padStart(4, '0')}0210723800010AC08400` +
      `164761739001010119310000000000000000112301000200000301000211231100000000001000000000003` +
      `00ATM00001BANK00000000001840` +
      `0402001840C0000001000002002840C000000100000`,
  )
  assert.equal((await v1.get('/terminals/ATM00001')).body['signed_on'], true)
  const undone = answers.find((frame) => frame.slice(4, 8) === '0430')
  assert.equal(
    undone,
    '01930430F23800010AC08000000000400000000016476173900101011901000000000001000011230101030000050100031123110000000000100000000000400ATM00001BANK00000000001840020000000411230100030000000000100000000000',
  )
  // 40.00 stand of what nobody asked for.
  assert.deepEqual(
    (await exceptions()).map(({ type, amount, account }) => [type, amount, account]),
    [['unknown_advice', 4000, 'A']],
  )
})

test('sign on and off, echo with and without a terminal, and codes that there are not', async (t) => {
  const { dial, terminal } = await serveIso(t)
  const line = await dial()
  const say = (code: string, more: Fields = { 41: 'ATM00001' }) =>
    line.ask('0800', { 7: '1123010000', 11: nextStan(), 70: code, ...more })
  assert.equal((await say('001'))[39], '00')
  assert.equal((await terminal())['signed_on'], true)
  assert.equal((await say('002'))[39], '00')
  assert.equal((await terminal())['signed_on'], false)
  for (const code of ['301', '061', '001']) assert.equal((await say(code, {}))[39], '00')
  for (const code of ['101', '161', '999']) assert.equal((await say(code))[39], '40')
  assert.equal((await say('001', { 41: 'NOBODY' }))[39], '58')
  assert.equal((await say('001', { 41: 'b@d' }))[39], '58')
  assert.equal((await say('301', { 41: 'NOBODY' }))[39], '00')
})

test('a completion says which notes left; one that nobody asked for waits for a person, who posts it', async (t) => {
  const { dial, read, exceptions, v1 } = await serveIso(t)
  const line = await dial()
  const completionOf = (asked: Fields, amount: number, notes?: string): Fields => ({
    ...request('010000', amount, {
      12: asked[12] ?? '',
      13: asked[13] ?? '',
      90: `0200${asked[11]}${asked[7]}${'0'.repeat(22)}`,
      ...(notes !== undefined && { 48: notes }),
    }),
  })
  const idOf = (asked: Fields) => `iso-1-${asked[11]}-${asked[13]}${asked[12]}`
  const told = async (asked: Fields) => {
    const { state, dispensed, units } = await read(idOf(asked))
    return [state, dispensed, units]
  }
  const [one, two, three] = [request('010000', 6000), request('010000', 6000), request('010000', 6000)]
  for (const each of [one, two, three]) assert.equal((await line.ask('0200', each))[39], '00')
  const full = completionOf(one, 6000, 'C2=3;R:C3=1')
  const answer = await line.ask('0220', full)
  assert.deepEqual([answer[39], answer[90], answer[48]], ['00', full[90], undefined])
  assert.equal((await line.ask('0221', full))[39], '00')
  assert.deepEqual(await told(one), ['completed', 6000, { C2: 3 }])
  assert.equal((await line.ask('0220', completionOf(two, 6000)))[39], '00')
  assert.deepEqual(await told(two), ['completed', 6000, { C1: 1, C3: 1 }])
  assert.equal((await line.ask('0220', completionOf(three, 5000)))[39], '00')
  assert.deepEqual(await told(three), ['partially_completed', 5000, { C1: 1 }])
  assert.deepEqual(await exceptions(), [])

  const standIn = request('010000', 200_000, { 48: 'C1=40' })
  assert.equal((await line.ask('0220', standIn))[39], '00')
  assert.equal((await line.ask('0221', standIn))[39], '00')
  const [found] = await exceptions()
  assert.deepEqual([found?.['type'], found?.['amount'], found?.['account']], ['unknown_advice', 200_000, 'A'])
  const before = Number(done(await v1.get('/accounts/A'), 200)['ledger'])
  done(await v1.post(`/exceptions/${found?.['id']}/resolve`, { dispensed: 200_000, reason: 'r' }), 200)
  assert.equal(done(await v1.get('/accounts/A'), 200)['ledger'], before - 200_000)
  // Nothing of it can be read, and still it is not refused.
  for (const more of [{ 48: 'rubbish' }, { 4: undefined }, { 3: '400000' }])
    assert.equal((await line.ask('0220', { ...request('010000', 1000), ...more } as Fields))[39], '00')
  assert.equal((await exceptions()).length, 3)
  assert.equal((await line.ask('0220', request('010000', 1000, { 41: 'NOBODY' })))[39], '58')
})

test('a machine that does not know what left leaves a suspect, until it finds out or somebody counts', async (t) => {
  const { dial, read, terminal, exceptions } = await serveIso(t)
  const line = await dial()
  const stateOf = async (asked: Fields) =>
    (await read(`iso-1-${asked[11]}-${asked[13]}${asked[12]}`))['state']
  const unknown: Fields = { 4: '000000000000', 48: ';O:unknown' }
  const ways: readonly (readonly [string, (asked: Fields) => Fields])[] = [
    ['0220', () => unknown],
    ['0220', () => ({ 48: 'C1=1,C3=1;O:retracted' })],
    ['0220', () => ({ ...unknown, 48: ';R:C1=1;O:unknown' })],
    ['0420', (asked) => ({ ...reversalOf('0200', asked), 48: ';O:unknown' })],
    ['0420', (asked) => ({ ...reversalOf('0200', asked, 5000), 48: 'C1=1;O:retracted' })],
  ]
  for (const [mti, more] of ways) {
    const asked = request('010000', 6000)
    assert.equal((await line.ask('0200', asked))[39], '00')
    const told = { ...asked, ...more(asked) }
    assert.equal((await line.ask(mti, told))[39], '00')
    assert.equal((await line.ask(mti.replace(/0$/, '1'), told))[39], '00')
    assert.equal(await stateOf(asked), 'suspect', `${mti} ${told[48]}`)
  }
  const suspects = await exceptions()
  assert.deepEqual(
    suspects.map(({ type, amount }) => [type, amount]),
    ways.map(() => ['suspect', 6000]),
  )
  assert.deepEqual((await terminal())['transit'], { uncertain: 30_000, unconfirmed: 0 })
  const late = request('010000', 6000)
  await line.ask('0200', late)
  await line.ask('0220', { ...late, ...unknown })
  assert.equal((await line.ask('0220', { ...late, 48: 'C1=1,C3=1' }))[39], '00')
  assert.equal(await stateOf(late), 'completed')
  // What is no outcome is no word on the notes, and a person looks.
  const other = request('010000', 6000)
  await line.ask('0200', other)
  await line.ask('0220', { ...other, 48: ';O:maybe' })
  assert.deepEqual([await stateOf(other), (await exceptions()).length], ['authorized', ways.length + 1])
})

test('deposits with and without the notes, and their reversals', async (t) => {
  const { dial, terminal, exceptions, v1 } = await serveIso(t)
  const line = await dial()
  const ledger = async (account: string) => done(await v1.get(`/accounts/${account}`), 200)['ledger']
  const notes = request('210000', 12_000, { 48: '5000=2,2000=1' })
  const first = await line.ask('0200', notes)
  assert.deepEqual([first[39], first[54]], ['00', undefined])
  assert.deepEqual(await line.ask('0201', notes), first)
  assert.equal(await ledger('A'), 112_000)
  const unit = async () =>
    ((await terminal())['units'] as unknown as { id: string; notes?: object }[]).find(({ id }) => id === 'D1')
      ?.notes
  assert.deepEqual(await unit(), { 2000: 1, 5000: 2 })
  const bundle = request('210000', 777)
  assert.equal((await line.ask('0200', bundle))[39], '00')
  assert.deepEqual(await unit(), { 777: 1, 2000: 1, 5000: 2 })
  const { 2: _, ...cardless } = request('210000', 1000, { 102: 'B' })
  assert.equal((await line.ask('0200', cardless))[39], '00')
  assert.equal(await ledger('B'), 1000)
  const nobodys = Object.fromEntries(Object.entries(cardless).filter(([field]) => field !== '102'))
  assert.equal((await line.ask('0200', { ...nobodys, 11: nextStan() }))[39], '30')
  assert.equal((await line.ask('0200', { ...cardless, 11: nextStan(), 102: 'NONE' }))[39], '14')
  for (const wrong of ['5000=1', '5000:2', '0=5'])
    assert.equal((await line.ask('0200', request('210000', 12_000, { 48: wrong })))[39], '13')
  assert.equal((await line.ask('0420', reversalOf('0200', notes)))[39], '00')
  assert.equal((await line.ask('0420', reversalOf('0200', bundle)))[39], '00')
  assert.equal(await ledger('A'), 100_000)
  assert.equal((await line.ask('0201', notes))[39], '00')
  const unknown = request('210000', 5000)
  assert.equal((await line.ask('0420', reversalOf('0200', unknown)))[39], '00')
  assert.equal((await line.ask('0200', unknown))[39], '94')
  assert.equal(await ledger('A'), 100_000)
  assert.deepEqual(await exceptions(), [])
})

test('totals that agree close the batch, and so do those that do not', async (t) => {
  const { dial, terminal, exceptions, read } = await serveIso(t)
  const line = await dial()
  const [one, two, three] = [request('010000', 6000), request('010000', 10_000), request('010000', 2000)]
  for (const each of [one, two, three]) assert.equal((await line.ask('0200', each))[39], '00')
  await line.ask('0420', reversalOf('0200', three))
  await line.ask('0420', reversalOf('0200', two, 4000))
  await line.ask('0200', request('210000', 5000, { 48: '5000=1' }))
  const now = timeIn(Date.now())
  const totals = {
    ...{ 74: n(1), 86: a(5000), 75: n(2), 87: a(8000), 76: n(3), 88: a(18_000), 77: n(0), 89: a(0) },
    97: `D${a(5000)}`,
  }
  const close: Fields = {
    7: now,
    11: nextStan(),
    12: now.slice(4),
    13: now.slice(0, 4),
    41: 'ATM00001',
    50: '840',
    ...totals,
  }
  const answer = await line.ask('0520', close)
  assert.deepEqual([answer[39], answer[66], answer[50], answer[15]], ['00', '1', '840', now.slice(0, 4)])
  for (const [field, value] of Object.entries(totals)) assert.equal(answer[Number(field)], value, field)
  assert.equal((await terminal())['batch'], 2)
  assert.equal((await read(`iso-1-${one[11]}-${one[13]}${one[12]}`))['state'], 'completed')
  // Whoever asks again has the first answer, also after another close.
  assert.deepEqual(await line.ask('0521', close), answer)
  assert.equal((await terminal())['batch'], 2)
  assert.deepEqual(await exceptions(), [])

  await line.ask('0200', request('010000', 1000))
  const off = {
    ...close,
    11: nextStan(),
    ...{ 74: n(0), 86: a(0), 75: n(0), 87: a(0), 76: n(2), 88: a(1000), 97: `D${a(1000)}` },
  }
  const told = await line.ask('0520', off)
  assert.deepEqual(
    [told[39], told[66], told[76], told[88], told[97]],
    ['00', '2', n(1), a(1000), `D${a(1000)}`],
  )
  assert.deepEqual(await line.ask('0521', off), told)
  assert.equal((await terminal())['batch'], 3)
  assert.deepEqual(
    (await exceptions()).map(({ type, amount }) => [type, amount]),
    [['out_of_balance', 0]],
  )
  // Without any totals there is nothing to be out of balance with; a late reversal counts in the batch that is open.
  await line.ask('0420', reversalOf('0200', one))
  const bare = await line.ask('0520', { 11: nextStan(), 41: 'ATM00001' })
  assert.deepEqual([bare[39], bare[66], bare[75], bare[87]], ['00', '1', n(1), a(6000)])
  for (const [i, currency] of ['978', '000'].entries()) {
    const other = { 11: nextStan(), 41: 'ATM00001', 50: currency }
    assert.equal((await line.ask('0520', other))[66], '2')
    assert.equal((await line.ask('0521', other))[66], '2')
    const opened = (await exceptions()).filter(({ type }) => type === 'out_of_balance')
    assert.equal(opened.length, i + 2, 'a person is told, once')
  }
})

test('0500 tells the totals so far, compares those that it has, and closes nothing', async (t) => {
  const { dial, terminal, exceptions } = await serveIso(t)
  const line = await dial()
  const asking = (more: Fields = {}) => {
    const now = timeIn(Date.now())
    return { 7: now, 11: nextStan(), 12: now.slice(4), 13: now.slice(0, 4), 41: 'ATM00001', ...more }
  }
  const none = {
    74: n(0),
    75: n(0),
    76: n(0),
    77: n(0),
    86: a(0),
    87: a(0),
    88: a(0),
    89: a(0),
    97: `C${a(0)}`,
  }
  const first = asking({ 37: '630012000042' })
  const day = first[13]
  assert.deepEqual(
    { ...(await line.ask('0500', first)) },
    { ...first, 15: day, 39: '00', 50: '840', 66: '0', ...none },
  )
  const [one, two] = [request('010000', 6000), request('210000', 5000, { 48: '5000=1' })]
  for (const each of [one, two]) assert.equal((await line.ask('0200', each))[39], '00')
  await line.ask('0420', reversalOf('0200', one))
  await line.ask('0420', reversalOf('0200', two))
  await line.ask('0200', request('010000', 2000))
  // What is no cash is in no total.
  assert.equal((await line.ask('0200', request('400000', 700, { 103: 'B' })))[39], '00')
  const so = {
    ...{ 74: n(1), 86: a(5000), 75: n(1), 87: a(6000), 76: n(2), 88: a(8000), 77: n(1), 89: a(5000) },
    97: `D${a(2000)}`,
  }
  for (const [mti, told, verdict] of [
    ['0500', {}, '0'],
    ['0501', {}, '0'],
    ['0500', { 50: '840' }, '0'],
    ['0500', so, '1'],
    ['0501', { ...so, 50: '840' }, '1'],
    ['0500', { 76: n(2) }, '1'],
    ['0500', { ...so, 88: a(8001) }, '2'],
    ['0500', { 74: n(2) }, '2'],
    ['0500', { 97: `C${a(2000)}` }, '2'],
    ['0500', { ...so, 50: '978' }, '2'],
    ['0500', { 50: '978' }, '2'],
  ] as const) {
    const answer = await line.ask(mti, asking(told))
    const { 39: code, 15: settled, 50: currency, 66: said, ...rest } = answer
    assert.deepEqual([code, settled, currency, said], ['00', day, '840', verdict], JSON.stringify(told))
    for (const [field, value] of Object.entries(so)) assert.equal(rest[Number(field)], value, field)
  }
  const now = await terminal()
  assert.deepEqual([now['batch'], now['transit']], [1, { uncertain: 0, unconfirmed: 2000 }])
  assert.deepEqual(await exceptions(), [])
  assert.equal((await line.ask('0500', asking({ 41: 'NOBODY' })))[39], '58')
  // The same number closes the batch, since it was not used for that.
  const close = asking(so)
  assert.equal((await line.ask('0500', close))[66], '1')
  assert.deepEqual([(await line.ask('0520', close))[66], (await terminal())['batch']], ['1', 2])
  assert.deepEqual(
    [(await line.ask('0500', asking()))[76], (await line.ask('0500', asking(none)))[66]],
    [n(0), '1'],
  )
})

test('balances by 0100 and 0200, 30 and 31, of the account that is named', async (t) => {
  const { dial } = await serveIso(t)
  const line = await dial()
  for (const [mti, code] of [
    ['0100', '300000'],
    ['0100', '310000'],
    ['0200', '302000'],
    ['0201', '310000'],
    ['0101', '300000'],
  ] as const) {
    const answer = await line.ask(mti, request(code, undefined))
    assert.deepEqual(
      [answer[39], answer[54]],
      ['00', '2001840C0000001000002002840C000000100000'],
      `${mti} ${code}`,
    )
    assert.match(answer[37] ?? '', /^[0-9]{12}$/)
  }
  assert.equal((await line.ask('0200', request('310000', undefined, { 102: 'A' })))[39], '00')
  assert.equal((await line.ask('0200', request('310000', undefined, { 102: 'B' })))[39], '14')
  assert.equal((await line.ask('0200', request('311000', undefined)))[39], '57')
  const { 2: _, ...track } = request('310000', undefined, { 35: `${pans.b}=25122011758928889` })
  const answer = await line.ask('0200', track)
  assert.deepEqual([answer[39], answer[2], answer[35]], ['00', undefined, undefined])
  assert.equal((await line.ask('0200', { ...track, 11: nextStan(), 2: pans.a }))[39], '30')
})
