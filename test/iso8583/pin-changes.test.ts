/** Changes of PIN over ISO 8583: by whoever knows the old one, once, and with not a digit of either in any answer. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { iso87a, mask } from '../../src/iso8583/message/index.ts'
import { kcvOf } from '../../src/vault/cipher.ts'
import { encodePinBlock } from '../../src/vault/pin-block.ts'
import { block, done, type Fields, pans, request, reversalOf, serveIso, wrongBlock } from './support.ts'

/** PIN 4321 of card `a` under the terminal's TDES key. */
const newBlock = '6E853BE054380A75'
const aes = { algorithm: 'aes', key: Buffer.from('00112233445566778899AABBCCDDEEFF', 'hex') } as const

const change = (more: object = {}) =>
  request('920000', undefined, { 2: pans.a, 52: block, 62: newBlock, ...more } as Fields)
const balance = (more: object) => request('310000', undefined, { 2: pans.a, ...more } as Fields)

test('the old PIN is wrong afterwards, and the new one right; a repeat is the same answer', async (t) => {
  const { dial, v1 } = await serveIso(t)
  const line = await dial()
  const asked = change({ 37: '630012000042' })
  const answer = await line.ask('0200', asked)
  const { 52: _, 62: __, ...echoed } = asked
  assert.deepEqual({ ...answer }, { ...echoed, 15: asked[13], 39: '00' })
  assert.deepEqual(await line.ask('0201', asked), answer)
  assert.equal((await line.ask('0200', balance({ 52: block })))[39], '55')
  assert.equal((await line.ask('0200', balance({ 52: newBlock })))[39], '00')
  // By the same number nothing is changed back, nor anything else done.
  assert.deepEqual(await line.ask('0201', { ...asked, 52: newBlock, 62: block }), answer)
  assert.equal((await line.ask('0201', { ...asked, 2: pans.b }))[39], '94')
  assert.equal((await line.ask('0201', { ...asked, 3: '010000', 4: '000000001000' }))[39], '94')
  assert.equal((await line.ask('0520', { 11: '999999', 41: 'ATM00001' }))[39], '00')
  assert.equal((await line.ask('0201', asked))[39], '00')
  assert.equal((await line.ask('0200', balance({ 52: newBlock })))[39], '00')
  assert.equal((await v1.prove())['proven'], true)
})

test('in format 4 as well: the old block in 123, the new one in 62', async (t) => {
  const { dial, v1 } = await serveIso(t)
  const line = await dial()
  const key = { algorithm: 'aes', key: aes.key.toString('hex'), kcv: kcvOf(aes) }
  done(await v1.put('/terminals/ATM00001/pin-key', key), 204)
  const of = (pin: string) => encodePinBlock(pans.a, pin, aes)
  const { 52: _, ...asked } = change({ 123: of('1234'), 62: of('98765') })
  assert.equal((await line.ask('0200', asked))[39], '00')
  assert.equal((await line.ask('0200', balance({ 123: of('1234') })))[39], '55')
  assert.equal((await line.ask('0200', balance({ 123: of('98765') })))[39], '00')
})

test('without the right old PIN or a new one that can be read, nothing is changed', async (t) => {
  const { dial } = await serveIso(t)
  const line = await dial()
  const { 62: _, ...none } = change()
  assert.equal((await line.ask('0200', none))[39], '30')
  const { 52: __, ...bare } = change()
  assert.equal((await line.ask('0200', bare))[39], '55')
  assert.equal((await line.ask('0200', change({ 2: pans.none })))[39], '14')
  // Two tries, however often each of them is said.
  for (const wrong of [change({ 52: wrongBlock }), change({ 52: '0123456789ABCDEF' })])
    for (const mti of ['0200', '0201', '0201'])
      assert.equal((await line.ask(mti, wrong))[39], '55', `${mti} ${wrong[52]}`)
  // The right one gives them back; the new block is of another card, or is none.
  for (const unread of [
    '',
    '0123456789ABCDEF',
    newBlock.slice(1),
    `${newBlock}00`,
    'ZZ853BE054380A75',
    '4321',
  ])
    for (const mti of ['0200', '0201']) {
      const asked = change({ 62: unread })
      assert.equal((await line.ask(mti, asked))[39], '55', unread)
      assert.equal(
        (await line.ask('0201', { ...asked, 62: newBlock }))[39],
        '55',
        'what was said once is said',
      )
    }
  assert.equal((await line.ask('0200', balance({ 52: newBlock })))[39], '55')
  assert.equal((await line.ask('0200', balance({ 52: block })))[39], '00')
  // A card that needs no PIN for a balance needs it for this.
  assert.equal((await line.ask('0200', { ...bare, 2: pans.b, 11: '777777' }))[39], '55')
})

test('a wrong PIN too many locks it, and then the right one changes nothing', async (t) => {
  const { dial } = await serveIso(t)
  const line = await dial()
  for (const code of ['55', '55', '75']) {
    const wrong = change({ 52: wrongBlock })
    assert.equal((await line.ask('0200', wrong))[39], code)
    assert.equal((await line.ask('0201', wrong))[39], code)
  }
  assert.equal((await line.ask('0200', change()))[39], '75')
})

test('taken back before it comes it is not done; afterwards it is, and a person is told', async (t) => {
  const { dial, exceptions } = await serveIso(t)
  const line = await dial()
  const early = change()
  const undo = (of: Fields) => ({ ...reversalOf('0200', of), 4: '000000000000' })
  assert.equal((await line.ask('0420', undo(early)))[39], '00')
  assert.equal((await line.ask('0200', early))[39], '94')
  const unread = change({ 62: '4321' })
  assert.equal((await line.ask('0200', unread))[39], '55')
  assert.equal((await line.ask('0420', undo(unread)))[39], '00')
  assert.equal((await line.ask('0200', balance({ 52: block })))[39], '00')
  assert.deepEqual(await exceptions(), [])

  const late = change()
  assert.equal((await line.ask('0200', late))[39], '00')
  const said = undo(late)
  assert.equal((await line.ask('0420', said))[39], '00')
  assert.equal((await line.ask('0421', said))[39], '00')
  assert.deepEqual(
    (await exceptions()).map(({ type, amount }) => [type, amount]),
    [['unknown_advice', 0]],
  )
  assert.equal((await line.ask('0200', balance({ 52: newBlock })))[39], '00')
})

test('nothing of either PIN is shown, and nothing of it is kept', async (t) => {
  const { dial, v1, logs, onlookers } = await serveIso(t)
  const line = await dial()
  const seen = onlookers.follow(50)
  await seen.next()
  const asked = change()
  const answer = await line.ask('0200', asked)
  assert.equal((await line.ask('0200', change({ 62: 'F'.repeat(999) })))[39], '55')
  const passed = JSON.stringify((await seen.next()).value)
  await seen.return(undefined)
  const { bank } = v1.cashpoint
  const journal = JSON.stringify(await bank.records({ after: 0, last: await bank.last() }))
  assert.match(journal, /operation_done.*operation_declined/)
  for (const secret of [block, newBlock, 'FFFFFFFF', pans.a])
    for (const [where, text] of Object.entries({ passed, journal, logs: logs.join('') }))
      assert.ok(!text.includes(secret), `${secret} in ${where}`)
  assert.match(passed, /"62":"\[16 characters\]"/)
  for (const field of [14, 35, 52, 62, 123]) assert.equal(answer[field], undefined)
  const shown = mask({ mti: '0200', fields: asked }, iso87a).fields
  assert.deepEqual([shown[52], shown[62]], ['[16 characters]', '[16 characters]'])
})
