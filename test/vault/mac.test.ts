/** MACs: the vectors that their standards publish, and any bytes under any key against code of the test's own. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { macOf } from '../../src/vault/mac.ts'
import { seed } from '../support/chance.ts'
import { macOf as macBlockByBlock } from '../support/macs.ts'

type Algorithm = 'tdes' | 'aes'

function mac(algorithm: Algorithm, key: string, bytes: Uint8Array): string {
  return macOf({ algorithm, key: Buffer.from(key, 'hex') }, bytes).toString('hex')
}

test('a retail MAC is what ISO/IEC 9797-1 publishes for algorithm 3 with padding method 1', () => {
  const key = '0123456789abcdeffedcba9876543210'
  assert.equal(mac('tdes', key, Buffer.from('Now is the time for all ')), 'a1c72e74ea3fa9b6')
  assert.equal(mac('tdes', key, Buffer.from('Now is the time for it')), '2e2b1428cc78254f')
  // Bouncy Castle's, of a message of whole blocks.
  assert.equal(
    mac('tdes', '7ca110454a1a6e570131d9619dc1376e', Buffer.from('Hello World !!!!')),
    'f09b856213bab83b',
  )
})

test('a CMAC is the left half of what RFC 4493 and NIST SP 800-38B publish', () => {
  const text = Buffer.from(
    '6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51' +
      '30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710',
    'hex',
  )
  for (const [key, ...expected] of [
    [
      '2b7e151628aed2a6abf7158809cf4f3c',
      'bb1d6929e9593728',
      '070a16b46b4d4144',
      'dfa66747de9ae630',
      '51f0bebf7e3b9d92',
    ],
    [
      '8e73b0f7da0e6452c810f32b809079e562f8ead2522c6b7b',
      'd17ddf46adaacde5',
      '9e99a7bf31e71090',
      '8a1de5be2eb31aad',
      'a1d5df0eed790f79',
    ],
    [
      '603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4',
      '028962f61b7bf89e',
      '28a7023f452e8f82',
      'aaf3d8f1de5640c2',
      'e1992190549f6ed5',
    ],
  ] as const)
    assert.deepEqual(
      [0, 16, 40, 64].map((length) => mac('aes', key, text.subarray(0, length))),
      expected,
    )
})

test('of any bytes under any key it is what block ciphers without a mode make of them', () => {
  const bytesOf = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })
  const keys = (algorithm: Algorithm, lengths: readonly number[]) =>
    fc
      .constantFrom(...lengths)
      .chain(bytesOf)
      .map((bytes) => ({ algorithm, key: Buffer.from(bytes).toString('hex') }))
  const key = fc.oneof(keys('tdes', [16, 24]), keys('aes', [16, 24, 32]))
  const holds = fc.property(key, fc.uint8Array({ maxLength: 70 }), ({ algorithm, key }, bytes) => {
    assert.equal(mac(algorithm, key, bytes), macBlockByBlock({ algorithm, key }, bytes).toString('hex'))
  })
  fc.assert(holds, { seed, numRuns: 1_000 })
})
