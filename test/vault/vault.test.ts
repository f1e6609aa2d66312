/** The vault: what it makes of card numbers, PINs, blocks and keys, over versions of its own keys. */
import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { test } from 'node:test'
import { inspect } from 'node:util'
import fc from 'fast-check'
import { isCardId } from '../../src/ledger/card.ts'
import { matches } from '../../src/ledger/pin.ts'
import type { WrappedKey } from '../../src/ledger/terminal.ts'
import { judgeCheckValues } from '../../src/vault/check-values.ts'
import type { ClearKey } from '../../src/vault/cipher.ts'
import { encodePinBlock } from '../../src/vault/pin-block.ts'
import { type GivenKey, Vault, type VaultKeys } from '../../src/vault/vault.ts'
import type { KeyPlace } from '../../src/vault/wrapping.ts'
import { seed } from '../support/chance.ts'
import { macOf } from '../support/macs.ts'

const pan = '4761739001010119'
const terminal = 'ATM00001'
const tdes = { algorithm: 'tdes', key: '11111111111111112222222222222222', kcv: 'D2B91C' } as const
const otherTdes = { algorithm: 'tdes', key: '0123456789abcdeffedcba9876543210', kcv: '08D7B4' } as const
const aes = { algorithm: 'aes', key: '00112233445566778899AABBCCDDEEFF', kcv: 'FDE4FB' } as const
const pvk = { 1: Buffer.from('0123456789ABCDEFFEDCBA9876543210', 'hex') }

/** Keys of 32 bytes, each all of one byte. */
function ring(...bytes: readonly number[]): Buffer[] {
  return bytes.map((byte) => Buffer.alloc(32, byte))
}

function vaultOf(more: Partial<VaultKeys> = {}): Vault {
  return new Vault({ pan: ring(1), pin: ring(2), wrap: ring(3), ...more })
}

function wrapped(vault: Vault, key: GivenKey, at = terminal, use: KeyPlace['use'] = 'pin-key'): WrappedKey {
  const made = vault.wrap({ terminal: at, use }, key)
  assert.ok(typeof made === 'object', `${key.kcv}: ${inspect(made)}`)
  return made
}

function blockOf(pin: string, { algorithm, key }: GivenKey): string {
  const pinKey: ClearKey = { algorithm, key: Buffer.from(key, 'hex') }
  return encodePinBlock(pan, pin, pinKey)
}

function cardOf(vault: Vault): string {
  return vault.cardIds(pan)[0] ?? ''
}

test('a card is known by a keyed digest of its number, also under keys that came before', () => {
  const before = vaultOf().cardIds(pan)
  const digest = createHmac('sha256', Buffer.alloc(32, 1)).update(pan).digest('hex')
  assert.deepEqual(before, [`card_${digest.slice(0, 32)}`])
  assert.ok(before.every(isCardId))

  const after = vaultOf({ pan: ring(1, 9) }).cardIds(pan)
  assert.equal(after.length, 2)
  assert.deepEqual(after.slice(1), before)
  assert.notDeepEqual(vaultOf().cardIds('4761739001010127'), before)
})

test('the right PIN matches, and no other, no other card’s', () => {
  const vault = vaultOf()
  const stored = vault.reference(cardOf(vault), '1234')
  assert.match(stored, /^h1:[0-9a-f]{64}$/)
  assert.ok(matches(stored, vault.tryPin(pan, '1234')))
  for (const pin of ['1235', '4321', '12345', '123', '', '0000', 'abcd', '12340'])
    assert.ok(!matches(stored, vault.tryPin(pan, pin)), pin)
  assert.ok(!matches(stored, vault.tryPin('4761739001010127', '1234')))
  assert.ok(!matches(stored, vaultOf({ pin: ring(8) }).tryPin(pan, '1234')), 'nor under another key')
})

test('a PIN that was set under an older key stays right, and new ones are set under the newest', () => {
  const before = vaultOf()
  const after = vaultOf({ pan: ring(1, 7), pin: ring(2, 8) })
  const stored = before.reference(cardOf(before), '1234')
  assert.ok(matches(stored, after.tryPin(pan, '1234')), 'known by the older number, too')
  assert.ok(!matches(stored, after.tryPin(pan, '1235')))
  const anew = after.reference(cardOf(before), '1234')
  assert.match(anew, /^h2:/)
  assert.ok(matches(anew, after.tryPin(pan, '1234')))
  assert.ok(!matches(anew, before.tryPin(pan, '1234')))
})

test('an imported PVV is as good as the PIN it was made from, and is not kept', () => {
  const vault = vaultOf({ pvk, pin: ring(2, 8) })
  const stored = vault.pvvReference(cardOf(vault), '0949', 1)
  assert.match(stored, /^v2:1:[0-9a-f]{64}$/)
  assert.ok(matches(stored, vault.tryPin(pan, '1234')))
  assert.ok(!matches(stored, vault.tryPin(pan, '4321')))
  assert.ok(!matches(stored, vault.tryPin('4761739001010127', '1234')))
  assert.ok(!matches(vault.pvvReference(cardOf(vault), '0948', 1), vault.tryPin(pan, '1234')))
  assert.ok(!matches(vault.pvvReference(cardOf(vault), '0949', 2), vault.tryPin(pan, '1234')), 'another PVK')
  assert.ok(!matches(stored, vaultOf({ pin: ring(2, 8) }).tryPin(pan, '1234')), 'no PVK')

  const older = vaultOf({ pvk }).pvvReference(cardOf(vault), '0949', 1)
  assert.ok(matches(older, vault.tryPin(pan, '1234')))
})

test('a block says what the clear PIN says, and under which of the terminal’s keys', () => {
  const vault = vaultOf({ pvk })
  const keys = { terminal, keys: [wrapped(vault, aes), wrapped(vault, otherTdes), wrapped(vault, tdes)] }
  const { references } = vault.tryPin(pan, '1234')
  for (const [at, key] of [aes, otherTdes, tdes].entries())
    assert.deepEqual(vault.tryBlock(pan, blockOf('1234', key), keys), { references, decoded: true, key: at })
  assert.deepEqual(vault.tryBlock(pan, '85563E517DCF122E', keys), { references, decoded: true, key: 2 })
  assert.deepEqual(vault.tryBlock(pan, 'ee834d17a2045301604c8d459a368a5b', keys).key, 0)
})

test('a block that does not decode says nothing at all, whatever is wrong', () => {
  const vault = vaultOf({ pvk })
  const [ours, foreign] = [wrapped(vault, tdes), wrapped(vault, tdes, 'ATM00002')]
  const strange = wrapped(vaultOf({ wrap: ring(9) }), tdes)
  const check = (block: string, keys: readonly WrappedKey[], number = pan) =>
    assert.deepEqual(vault.tryBlock(number, block, { terminal, keys }), { references: [], decoded: false })
  const block = '85563E517DCF122E'
  check(block, [])
  check(block, [wrapped(vault, otherTdes), wrapped(vault, aes)])
  check(block, [foreign])
  check(block, [strange])
  check(block, [{ ...ours, algorithm: 'aes' }])
  for (const text of [
    '',
    'w1:',
    'w2:x',
    'nonsense',
    ours.wrapped.slice(0, -2),
    ours.wrapped.replace('w1', 'w2'),
  ])
    check(block, [{ ...ours, wrapped: text }])
  check('85563E517DCF122F', [ours])
  check(block, [ours], '4761739001019127')
  for (const text of [
    '',
    '1234',
    `${block}00`,
    `${block}${block}`,
    'zzzzzzzzzzzzzzzz',
    `${block.slice(0, -1)}é`,
  ])
    check(text, [ours])
})

test('whatever a terminal sends as a block, there is an answer to it', () => {
  const vault = vaultOf({ pvk })
  const keys = { terminal, keys: [wrapped(vault, tdes), wrapped(vault, aes)] }
  const bytes = fc.oneof(
    ...[8, 16].map((length) => fc.uint8Array({ minLength: length, maxLength: length })),
    fc.uint8Array({ maxLength: 40 }),
  )
  const texts = fc.oneof(
    bytes.map((each) => Buffer.from(each).toString('hex')),
    fc.string({ unit: 'binary', maxLength: 40 }),
  )
  const holds = fc.property(texts, (text) => {
    const attempt = vault.tryBlock(pan, text, keys)
    assert.equal(attempt.references.length > 0, attempt.decoded)
    assert.equal(attempt.key !== undefined, attempt.decoded)
  })
  fc.assert(holds, { seed, numRuns: 1_000 })
})

test('a new PIN may come as a block', () => {
  const vault = vaultOf()
  const keys = { terminal, keys: [wrapped(vault, aes), wrapped(vault, tdes)] }
  const card = cardOf(vault)
  assert.equal(
    vault.referenceOfBlock(pan, blockOf('987654', tdes), keys, card),
    vault.reference(card, '987654'),
  )
  assert.equal(vault.referenceOfBlock(pan, blockOf('1234', otherTdes), keys, card), undefined)
})

test('a terminal’s key is wrapped if it is the one that its check value says', () => {
  const vault = vaultOf({ wrap: ring(3, 4) })
  const { algorithm, wrapped: text, kcv } = wrapped(vault, { ...tdes, kcv: 'd2b91c' })
  assert.deepEqual({ algorithm, kcv }, { algorithm: 'tdes', kcv: 'D2B91C' })
  assert.match(text, /^w2:[\w-]+$/)
  assert.ok(!Buffer.from(text.slice(3), 'base64url').toString('hex').includes(tdes.key))
  assert.notEqual(wrapped(vault, tdes).wrapped, text, 'never twice the same')

  const check = (key: Partial<GivenKey>, expected: string) =>
    assert.equal(vault.wrap({ terminal, use: 'pin-key' }, { ...tdes, ...key }), expected, inspect(key))
  for (const kcv of ['D2B91D', '', 'D2B9', 'D2B91C00', '08D7B4']) check({ kcv }, 'kcv_mismatch')
  for (const key of [
    '',
    '11',
    tdes.key.slice(1),
    `${tdes.key}0`,
    `${tdes.key.slice(0, -1)}x`,
    '11'.repeat(16),
  ])
    check({ key }, 'key_invalid')
  check({ algorithm: 'aes', key: '11'.repeat(8) }, 'key_invalid')
})

test('what was wrapped under an older key opens as long as that is there', () => {
  const key = wrapped(vaultOf(), tdes)
  const tryWith = (wrap: Buffer[]) =>
    vaultOf({ wrap }).tryBlock(pan, '85563E517DCF122E', { terminal, keys: [key] }).decoded
  assert.ok(tryWith(ring(3, 4)))
  assert.ok(!tryWith(ring(4, 3)))
})

test('another or a missing key is noticed by its check value, and a new one is well', () => {
  const { checkValues } = vaultOf({ pvk })
  assert.deepEqual(Object.keys(checkValues), ['pan:1', 'pin:1', 'wrap:1', 'pvk:1'])
  for (const value of Object.values(checkValues)) assert.match(value, /^[0-9a-f]{8}$/)
  const judge = (more: Partial<VaultKeys>) =>
    judgeCheckValues(checkValues, vaultOf({ pvk, ...more }).checkValues)
  assert.equal(judge({}), undefined)
  assert.equal(judge({ pin: ring(2, 8) }), undefined)
  assert.deepEqual(judge({ pin: ring(8) }), { name: 'pin:1', problem: 'other' })
  assert.deepEqual(judge({ pan: ring(2), pin: ring(1) }), { name: 'pan:1', problem: 'other' })
  assert.deepEqual(judge({ pvk: {} }), { name: 'pvk:1', problem: 'missing' })
  const same = vaultOf({ pan: ring(5), pin: ring(5), wrap: ring(5) }).checkValues
  assert.equal(new Set(Object.values(same)).size, 3, 'and does not tell that two purposes share one')
})

test('whoever prints a vault sees no key', () => {
  const text = inspect(vaultOf({ pvk }), { depth: 9, showHidden: true }) + JSON.stringify(vaultOf({ pvk }))
  assert.doesNotMatch(text, /Buffer|(?:01 ?){8}|(?:02 ?){8}|0123456789abcdef/i)
})

test('a MAC is right under one of the terminal’s own MAC keys, and under nothing else', () => {
  const vault = vaultOf()
  const macKey = (key: GivenKey, at = terminal) => wrapped(vault, key, at, 'mac-key')
  const keys = [macKey(aes), macKey(tdes)]
  const bytes = Buffer.from('0800822000000000000004000000000000000000001ATM00001301')
  const at = (mac: Uint8Array, of = keys) => vault.keyOfMac(bytes, mac, { terminal, keys: of })
  assert.equal(at(macOf(aes, bytes)), 0)
  assert.equal(at(macOf(tdes, bytes)), 1)
  assert.deepEqual(vault.mac(bytes, terminal, keys[1] as WrappedKey), macOf(tdes, bytes))

  const right = macOf(tdes, bytes)
  for (let bit = 0; bit < 64; bit += 1) {
    const wrong = Buffer.from(right)
    wrong.writeUInt8(wrong.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3)
    assert.equal(at(wrong), undefined, `bit ${bit}`)
  }
  for (const mac of [
    right.subarray(0, 7),
    Buffer.concat([right, right]),
    Buffer.alloc(0),
    macOf(otherTdes, bytes),
  ])
    assert.equal(at(mac), undefined)
  assert.equal(at(right, []), undefined)
  // Moved from another terminal, or from another use, a key does not open.
  for (const moved of [macKey(tdes, 'ATM00002'), wrapped(vault, tdes)]) {
    assert.equal(at(right, [moved]), undefined)
    assert.equal(vault.mac(bytes, terminal, moved), undefined)
  }
  const block = { terminal, keys: [macKey(tdes)] }
  assert.equal(vault.tryBlock(pan, '85563E517DCF122E', block).decoded, false, 'nor a MAC key for a PIN')
})

test('MAC keys that were wrapped under an older key open as long as that is there', () => {
  const key = wrapped(vaultOf(), tdes, terminal, 'mac-key')
  const bytes = Buffer.from('0800')
  const macWith = (wrap: Buffer[]) => vaultOf({ wrap }).mac(bytes, terminal, key)
  assert.deepEqual(macWith(ring(3, 4)), macOf(tdes, bytes))
  assert.equal(macWith(ring(4, 3)), undefined)
})
