/** Random days of three machines on bad lines: whatever was lost, said twice or overtaken, each cent is where it belongs. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { prng, seed } from '../support/chance.ts'
import { times } from '../support/profile.ts'
import {
  done,
  type Fields,
  type Line,
  makeTerminal,
  nextStan,
  request,
  reversalOf,
  sentAt,
  serveIso,
  timeIn,
} from './support.ts'

type Transaction = {
  readonly asked: Fields
  readonly amount: number
  readonly ends: 'silent' | 'undone' | 'part' | 'told'
}

/** MMDDhhmmss so many seconds later. */
function later(time = '', seconds: number): string {
  const [month = 0, day = 0, hour = 0, minute = 0, second = 0] = (time.match(/../g) ?? []).map(Number)
  return timeIn(Date.UTC(2000, month - 1, day, hour, minute, second + seconds))
}

test(`whatever is lost, repeated or overtaken, the customer is debited what left, or was transferred (SEED=${seed})`, async (t) => {
  const { dial, v1, exceptions } = await serveIso(t)
  await v1.post('/deposits', { account: 'A', amount: 9_000_000, currency: 'USD' })
  const machines = ['ATM00001', 'ATM00002', 'ATM00003']
  for (const id of machines.slice(1)) await makeTerminal(v1, id)
  const before = Number(done(await v1.get('/accounts/A'), 200)['ledger'])
  const chance = prng(seed)
  const one = <Thing>(...things: readonly Thing[]) => things[chance(things.length)] as Thing

  /** Says it until it is answered; a line may die on the way, and the answer with it. */
  async function insist(lines: Line[], mti: string, fields: Fields): Promise<Fields> {
    for (let tries = 0; ; tries += 1) {
      const at = chance(lines.length)
      const line = lines[at] as Line
      const again = tries === 0 || mti === '0420' ? mti : mti.replace(/0$/, '1')
      // Without another clock, 7 is when it was sent this time.
      const anew = again.endsWith('1') && fields[12] === undefined ? { 7: later(fields[7], tries) } : {}
      const answer = line.send(again, { ...fields, ...anew })
      if (tries < 3 && chance(6) === 0) {
        setTimeout(() => line.socket.destroy(), chance(8))
        lines[at] = await dial()
      }
      const heard = await answer
      if (heard !== undefined) return heard.fields
    }
  }

  async function live(lines: Line[], { asked, amount, ends }: Transaction): Promise<number> {
    const { 90: original = '', ...bare } = reversalOf(
      '0200',
      asked,
      ends === 'part' ? amount - 1000 : undefined,
    )
    // A reference of its own is enough to name it.
    const undo = asked[37] === undefined ? { ...bare, 90: original } : { ...bare, 37: asked[37] }
    // The machine gives up and says so, while its question may still be on its way.
    if (ends === 'undone' && chance(3) === 0) {
      const [answer, undone] = await Promise.all([insist(lines, '0200', asked), insist(lines, '0420', undo)])
      assert.ok(['00', '94', '13', '51'].includes(answer[39] ?? ''), answer[39])
      assert.equal(undone[39], '00')
      return 0
    }
    const answer = await insist(lines, '0200', asked)
    if (answer[39] === '13' || answer[39] === '51') return 0
    assert.equal(answer[39], '00')
    if (chance(3) === 0)
      assert.deepEqual({ ...(await insist(lines, '0201', asked)), 7: '' }, { ...answer, 7: '' })
    if (ends === 'silent') return amount
    if (ends === 'told') {
      const told = { ...asked, 11: nextStan(), ...(asked[37] === undefined && { 90: original }) }
      assert.equal((await insist(lines, '0220', told))[39], '00')
      return amount
    }
    assert.equal((await insist(lines, '0420', undo))[39], '00')
    return ends === 'part' ? amount - 1000 : 0
  }

  let debited = 0
  let transferred = 0
  for (let round = 0; round < times(4, 40); round += 1) {
    const lines = await Promise.all([dial(), dial(), dial()])
    const day = Array.from({ length: 12 }, (): Transaction => {
      const amount = 1000 * (2 + chance(8))
      const at = { 41: one(...machines), ...(chance(3) === 0 && { 37: `REF9${nextStan()}` }) }
      const clocked = (asked: Fields) => (chance(2) === 0 ? asked : sentAt(asked))
      if (chance(3) === 0) {
        const asked = clocked(request('400000', amount, { ...at, 103: 'B' }))
        return { asked, amount, ends: one('silent', 'undone', 'told') }
      }
      const asked = clocked(request('010000', amount, at))
      return { asked, amount, ends: one('silent', 'undone', 'undone', 'part', 'told') }
    })
    const left = await Promise.all(day.map((each) => live(lines, each)))
    debited += left.reduce((sum, amount) => sum + amount, 0)
    transferred += left.reduce((sum, amount, i) => sum + (day[i]?.asked[103] === 'B' ? amount : 0), 0)
    const at = one(...machines)
    if (chance(2) === 0)
      assert.equal((await insist(lines, '0520', { ...request('0', undefined), 41: at }))[39], '00')
  }
  assert.equal(Number(done(await v1.get('/accounts/A'), 200)['ledger']), before - debited)
  assert.equal(Number(done(await v1.get('/accounts/B'), 200)['ledger']), transferred)
  assert.deepEqual(await exceptions(), [])
  for (const id of machines) {
    const { transit } = done(await v1.get(`/terminals/${id}`), 200) as { transit?: { uncertain: number } }
    assert.equal(transit?.uncertain, 0)
  }
  assert.equal((await v1.prove())['proven'], true)
})
