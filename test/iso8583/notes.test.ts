/** Which notes left, were rejected, or were another's: whatever a message says of them, counts stay what is in the units. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { done, type Fields, type Iso, pans, request, reversalOf, serveIso } from './support.ts'

type Unit = {
  readonly id: string
  readonly count: number
  readonly reserved: number
  readonly notes?: object
}

const idOf = (asked: Fields) => `iso-1-${asked[11]}-${asked[13]}${asked[12]}`

/** A machine with two notes of 50.00 and twenty of 10.00, or as many as `loaded` says. */
async function serveFew(
  scope: Parameters<typeof serveIso>[0],
  loaded: Readonly<Record<string, number>> = { C1: 2, C3: 20 },
) {
  const iso = await serveIso(scope)
  const { v1 } = iso
  const at = '/terminals/FEW00001'
  const units = [
    { id: 'C1', type: 'cash_out', value: 5000, low: 1 },
    { id: 'C3', type: 'cash_out', value: 1000, low: 1 },
    { id: 'R1', type: 'reject' },
  ]
  done(await v1.post('/terminals', { id: 'FEW00001', name: 'Few', currency: 'USD', units }), 201)
  const { exchange } = done(await v1.post(`${at}/exchange`, { action: 'start' }), 200)
  done(await v1.post(`${at}/exchange`, { action: 'end', exchange, mode: 'add', loaded }), 200)
  done(await v1.post(`${at}/state`, { state: 'in_service', reason: 'loaded' }), 200)
  const ask = (amount: number) => request('010000', amount, { 41: 'FEW00001' })
  return { ...iso, ...waysOf(iso), at, ask, line: await iso.dial() }
}

function waysOf({ v1 }: Iso) {
  const at = '/terminals/FEW00001'
  return {
    counts: async () => {
      const { units } = done(await v1.get(at), 200) as unknown as { units: readonly Unit[] }
      return Object.fromEntries(units.map(({ id, count, notes }) => [id, notes ?? count]))
    },
    told: async (asked: Fields) => {
      const { state, dispensed } = done(await v1.get(`${at}/withdrawals/${idOf(asked)}`), 200)
      return [state, dispensed]
    },
    ledger: async () => done(await v1.get('/accounts/A'), 200)['ledger'],
    types: async () => {
      const { exceptions } = done(await v1.get('/exceptions?state=open'), 200)
      return (exceptions as unknown as { type: string }[]).map(({ type }) => type).sort()
    },
  }
}

test('notes that were rejected before all of it was taken back are in the reject unit', async (t) => {
  const { line, v1, ask, told, counts, ledger, types } = await serveFew(t)
  const open = ask(6000)
  assert.equal((await line.ask('0200', open))[39], '00')
  const undo = { ...reversalOf('0200', open), 48: ';R:C1=1' }
  for (const mti of ['0420', '0421', '0400']) assert.equal((await line.ask(mti, undo))[39], '00')
  // Said again without them, it is not put back.
  assert.equal((await line.ask('0420', reversalOf('0200', open)))[39], '00')
  assert.deepEqual(await told(open), ['reversed', 0])
  assert.deepEqual(await counts(), { C1: 1, C3: 20, R1: { 5000: 1 } })
  assert.equal(await ledger(), 100_000)
  assert.deepEqual(await types(), [])

  // After the close, where the planned ones were taken for those that left; a person looks, as at every late one.
  const late = ask(6000)
  assert.equal((await line.ask('0200', late))[39], '00')
  await line.ask('0520', { 11: late[11] ?? '', 41: 'FEW00001' })
  assert.deepEqual(await counts(), { C1: 0, C3: 19, R1: { 5000: 1 } })
  assert.equal((await line.ask('0420', { ...reversalOf('0200', late), 48: ';R:C3=2' }))[39], '00')
  assert.deepEqual(await told(late), ['reversed', 0])
  assert.deepEqual(await counts(), { C1: 1, C3: 18, R1: { 1000: 2, 5000: 1 } })
  assert.equal(await ledger(), 100_000)
  assert.deepEqual(await types(), ['late_reversal'])

  // Of more than there are, or of no unit, nobody knows what left, until it says so.
  const odd = request('010000', 1000, { 41: 'FEW00001' })
  assert.equal((await line.ask('0200', odd))[39], '00')
  assert.equal((await line.ask('0420', { ...reversalOf('0200', odd), 48: ';R:C9=1' }))[39], '00')
  assert.equal(
    (await v1.get(`/terminals/FEW00001/withdrawals/iso-2-${odd[11]}-${odd[13]}${odd[12]}`)).body['state'],
    'suspect',
  )
  assert.deepEqual(await types(), ['late_reversal', 'suspect'])
  assert.equal((await line.ask('0420', reversalOf('0200', odd)))[39], '00')
  assert.deepEqual(await types(), ['late_reversal'])
  assert.equal(await ledger(), 100_000)
  assert.equal((await v1.prove())['proven'], true)
})

test('a completion by notes that others have reserved is in doubt, and is answered 00', async (t) => {
  const { line, v1, ask, at, told, counts, ledger, types } = await serveFew(t, { C1: 1, C3: 20 })
  const [one, two] = [ask(5000), ask(5000)]
  for (const each of [one, two]) assert.equal((await line.ask('0200', each))[39], '00')
  // The only note of 50.00 is the first one's, and the machine gave it to the second.
  const said: Fields = { ...two, 48: 'C1=1' }
  for (const mti of ['0220', '0221']) assert.equal((await line.ask(mti, said))[39], '00')
  assert.deepEqual(await told(two), ['suspect', null])
  assert.deepEqual(await types(), ['suspect'])
  assert.deepEqual(await counts(), { C1: 1, C3: 20, R1: {} })
  // What it gave the first one is known after that, and what it gave the second is said again.
  assert.equal((await line.ask('0220', { ...one, 48: 'C3=5' }))[39], '00')
  assert.deepEqual(await told(one), ['completed', 5000])
  assert.equal((await line.ask('0221', said))[39], '00')
  assert.deepEqual(await told(two), ['suspect', null])
  const [{ id } = { id: '' }] = done(await v1.get('/exceptions?state=open'), 200)[
    'exceptions'
  ] as unknown as { id: string }[]
  done(await v1.post(`/exceptions/${id}/resolve`, { dispensed: 5000, reason: 'the journal says so' }), 200)
  assert.deepEqual(await told(two), ['completed', 5000])
  assert.equal(await ledger(), 90_000)

  // Silence on the first: its notes are taken for those that left, and a count tells the rest.
  const [three, four] = [ask(5000), ask(5000)]
  for (const each of [three, four]) assert.equal((await line.ask('0200', each))[39], '00')
  assert.equal((await line.ask('0220', { ...four, 48: 'C3=11' }))[39], '00')
  assert.equal((await line.ask('0520', { 11: three[11] ?? '', 41: 'FEW00001' }))[39], '00')
  assert.deepEqual(await told(three), ['completed', 5000])
  assert.deepEqual(await told(four), ['suspect', null])
  const { exchange } = done(await v1.post(`${at}/exchange`, { action: 'start' }), 200)
  const before = await counts()
  const counted = { ...before, C3: Number(before['C3']) - 5 }
  const report = done(await v1.post(`${at}/counts`, { exchange, units: counted }), 200)
  assert.deepEqual(report['suspects'], [
    { withdrawal: idOf(four), amount: 5000, proposal: { dispensed: 5000 } },
  ])
  const ended = {
    action: 'end',
    exchange,
    mode: 'set',
    loaded: {},
    suspects: { [idOf(four)]: { dispensed: 5000 } },
  }
  assert.equal(done(await v1.post(`${at}/exchange`, ended), 200)['over_short'], 0)
  assert.equal(await ledger(), 80_000)
  assert.deepEqual(await types(), [])
  assert.equal((await v1.prove())['proven'], true)
})

test('a deposit with a card is paid in to whichever account it names, as over REST', async (t) => {
  const { dial, v1, act } = await serveIso(t)
  const line = await dial()
  const ledgers = async () =>
    [await v1.get('/accounts/A'), await v1.get('/accounts/B')].map((said) => done(said, 200)['ledger'])
  assert.equal((await line.ask('0200', request('210000', 1000, { 102: 'B' })))[39], '00')
  assert.equal((await line.ask('0200', request('210000', 1000, { 102: 'A', 103: 'B' })))[39], '00')
  assert.equal((await line.ask('0200', request('210000', 1000)))[39], '00')
  assert.deepEqual(await ledgers(), [101_000, 2000])
  const body = { id: 'd1', pan: pans.b, account: 'B', currency: 'USD', notes: { 1000: 1 } }
  done(await act('deposits', body), 201)
  assert.deepEqual(await ledgers(), [101_000, 3000])
  assert.equal((await line.ask('0200', request('210000', 1000, { 103: 'NONE' })))[39], '14')
})
