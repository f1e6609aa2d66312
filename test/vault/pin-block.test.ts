/** PIN blocks and PVVs: the vectors of docs, made with other programs, and properties for the rest. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type ClearKey, decipher, encipher, isSound, kcvOf } from '../../src/vault/cipher.ts'
import { decodePinBlock, encodePinBlock } from '../../src/vault/pin-block.ts'
import { pvvOf } from '../../src/vault/pvv.ts'
import { seed } from '../support/chance.ts'

const pan = '4761739001010119'
const tdes = keyOf('tdes', '11111111111111112222222222222222')
const aes = keyOf('aes', '00112233445566778899AABBCCDDEEFF')
const pvk = Buffer.from('0123456789ABCDEFFEDCBA9876543210', 'hex')

function keyOf(algorithm: ClearKey['algorithm'], text: string): ClearKey {
  return { algorithm, key: Buffer.from(text, 'hex') }
}

test('a block of format 0 is what other programs make of it', () => {
  assert.equal(kcvOf(tdes), 'D2B91C')
  const blocks = { '1234': '85563E517DCF122E', '9999': '7F5D07F247610B35', '4321': '6E853BE054380A75' }
  for (const [pin, block] of Object.entries(blocks)) {
    assert.equal(encodePinBlock(pan, pin, tdes), block)
    assert.equal(decodePinBlock(pan, block, tdes), pin)
    assert.equal(decodePinBlock(pan, block.toLowerCase(), tdes), pin)
  }
  const clear = decipher(tdes, Buffer.from('85563E517DCF122E', 'hex'))
  assert.equal(clear.toString('hex').toUpperCase(), '041223C6FFEFEFEE')
})

test('a block of format 4 is what other programs make of it', () => {
  const fill = Buffer.from('0123456789ABCDEF', 'hex')
  const block = 'EE834D17A2045301604C8D459A368A5B'
  assert.equal(encodePinBlock(pan, '1234', aes, fill), block)
  assert.equal(decodePinBlock(pan, block, aes), '1234')
  assert.equal(decodePinBlock('1234567890123456', '7CDF645C86CAF763AE34637A66997534', aes), '1234')
})

test('a PVV is what Visa’s algorithm makes of it', () => {
  assert.equal(pvvOf(pan, '1234', { pvki: 1, pvk }), '0949')
  assert.equal(pvvOf('1122334455667788', '4524', { pvki: 3, pvk }), '4021')
  assert.equal(
    pvvOf(pan, '12345678', { pvki: 1, pvk }),
    '0949',
    'of a longer PIN the first four digits count',
  )
})

test('a PVV whose cipher text has too few digits goes on with its letters', () => {
  // The only two PINs of this card: cedad2eb1ecfbf9f has 2, 1, 9 and then c = 2; bad1daa6ff5cacee 1, 6, 5 and b = 1.
  assert.equal(pvvOf(pan, '1019', { pvki: 1, pvk }), '2192')
  assert.equal(pvvOf(pan, '9776', { pvki: 1, pvk }), '1651')
})

test('the cipher of PVVs gives the IBM 3624 offset that other programs do', () => {
  const natural = encipher({ algorithm: 'tdes', key: pvk }, Buffer.from(pan, 'hex')).toString('hex')
  const digits = [...natural.slice(0, 4)].map((digit) =>
    Number('0123456789012345'[Number.parseInt(digit, 16)]),
  )
  const offset = [...'1234'].map((digit, i) => (Number(digit) - (digits[i] ?? 0) + 10) % 10)
  assert.equal(offset.join(''), '4725')
})

test('a key has a right length, and no two equal parts in a row', () => {
  const [a, b, c] = ['0123456789abcdef', '1111111111111111', '2222222222222222']
  for (const text of [a + b, a + b + c, a + b + a]) assert.ok(isSound(keyOf('tdes', text)), text)
  for (const text of ['', a, a + a, a + a + b, a + b + b, a + b + c + a])
    assert.ok(!isSound(keyOf('tdes', text)), text)
  assert.ok(!isSound(keyOf('tdes', `1111111111111111${'10'.repeat(8)}`)), 'parity makes no difference')
  for (const length of [16, 24, 32]) assert.ok(isSound(keyOf('aes', 'ab'.repeat(length))))
  for (const length of [0, 8, 15, 17, 33]) assert.ok(!isSound(keyOf('aes', 'ab'.repeat(length))))
})

const digits = (minLength: number, maxLength: number) =>
  fc.string({ unit: fc.constantFrom(...'0123456789'), minLength, maxLength })
const pins = digits(4, 12)
const pans = digits(12, 19)
const keys = fc
  .oneof(
    fc.tuple(fc.constant('tdes' as const), fc.constantFrom(16, 24)),
    fc.tuple(fc.constant('aes' as const), fc.constantFrom(16, 24, 32)),
  )
  .chain(([algorithm, length]) =>
    fc
      .uint8Array({ minLength: length, maxLength: length })
      .map((bytes): ClearKey => ({ algorithm, key: Buffer.from(bytes) })),
  )
const fills = fc.uint8Array({ minLength: 8, maxLength: 8 }).map((bytes) => Buffer.from(bytes))

test('what went into a block comes out of it, for every PIN, card number and key', () => {
  const holds = fc.property(pans, pins, keys, fills, (pan, pin, key, fill) => {
    const block = encodePinBlock(pan, pin, key, fill)
    assert.match(block, key.algorithm === 'tdes' ? /^[0-9A-F]{16}$/ : /^[0-9A-F]{32}$/)
    assert.equal(decodePinBlock(pan, block, key), pin)
  })
  fc.assert(holds, { seed, numRuns: 2_000 })
})

test('a block with one bit changed is none, or has another PIN', () => {
  const holds = fc.property(pans, pins, keys, fills, (pan, pin, key, fill) => {
    const block = Buffer.from(encodePinBlock(pan, pin, key, fill), 'hex')
    for (let bit = 0; bit < 8 * block.length; bit += 1) {
      const changed = Buffer.from(block)
      changed.writeUInt8(changed.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3)
      assert.notEqual(decodePinBlock(pan, changed.toString('hex'), key), pin)
    }
  })
  fc.assert(holds, { seed, numRuns: 50 })
})

test('a clear block of format 0 with one digit changed is none, or has another PIN', () => {
  const holds = fc.property(pans, pins, fc.nat(15), fc.integer({ min: 1, max: 15 }), (pan, pin, at, by) => {
    const clear = decipher(tdes, Buffer.from(encodePinBlock(pan, pin, tdes), 'hex'))
    clear.writeUInt8(clear.readUInt8(at >> 1) ^ (at % 2 === 0 ? by << 4 : by), at >> 1)
    const read = decodePinBlock(pan, encipher(tdes, clear).toString('hex'), tdes)
    assert.notEqual(read, pin)
    // The control nibble, and what the card number covers of the filler, leave no PIN at all.
    if (at === 0 || at > 1 + pin.length) assert.equal(read, undefined)
  })
  fc.assert(holds, { seed, numRuns: 5_000 })
})

test('any text at all is a block or none, and never an error', () => {
  const hex = fc.oneof(
    fc.uint8Array({ minLength: 8, maxLength: 8 }),
    fc.uint8Array({ minLength: 16, maxLength: 16 }),
    fc.uint8Array({ maxLength: 40 }),
  )
  const texts = fc.oneof(
    hex.map((bytes) => Buffer.from(bytes).toString('hex')),
    fc.string({ unit: 'binary', maxLength: 40 }),
  )
  const holds = fc.property(pans, texts, keys, (pan, text, key) => {
    const pin = decodePinBlock(pan, text, key)
    if (pin !== undefined) assert.match(pin, /^[0-9]{4,12}$/)
  })
  fc.assert(holds, { seed, numRuns: 5_000 })
  for (const text of ['', '85563E517DCF122', '85563E517DCF122E0', '85563E517DCF122Ezz', '85563E517DCF122z'])
    assert.equal(decodePinBlock(pan, text, tdes), undefined, text)
})

test('a block of format 0 that is wrong in one way alone has no PIN', () => {
  const number = Buffer.from(pan.slice(-13, -1).padStart(16, '0'), 'hex')
  const read = (field: string) => {
    const clear = Buffer.from(field, 'hex').map((byte, i) => byte ^ (number[i] ?? 0))
    return decodePinBlock(pan, encipher(tdes, Buffer.from(clear)).toString('hex'), tdes)
  }
  assert.equal(read('041234FFFFFFFFFF'), '1234')
  assert.equal(read('0C123456789012FF'), '123456789012')
  for (const [why, field] of Object.entries({
    'another format': '141234FFFFFFFFFF',
    'too short': '03123FFFFFFFFFFF',
    'too long': '0D1234567890123F',
    'longer than there is room': '0F12345678901234',
    'no digit': '04123AFFFFFFFFFF',
    'a digit too few': '04123FFFFFFFFFFF',
    'a digit too many': '0412345FFFFFFFFF',
    'another filler': '041234FFFFFFFFFE',
    'the filler of format 4': '041234AAAAAAAAAA',
  }))
    assert.equal(read(field), undefined, why)
})
