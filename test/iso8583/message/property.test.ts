/** The codec by properties: both ways are the same message, and whatever the bytes are there is an answer. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { base24, isMalformed, iso87a, pack, parse } from '../../../src/iso8583/message/index.ts'
import { type Chance, prng, seed } from '../../support/chance.ts'
import { times } from '../../support/profile.ts'
import { messages, slowlyPacked } from './arbitrary.ts'
import { judge, packed, samples } from './samples.ts'

const specs = [iso87a, base24]
const poolMax = 100
const found = new URL('found/', import.meta.url)

for (const spec of specs)
  test(`${spec.name}: any message is packed as text would be, and read as it was`, () => {
    fc.assert(
      fc.property(messages(spec), (message) => {
        const bytes = packed(message, spec)
        assert.deepEqual(bytes, slowlyPacked(message, spec))
        const read = parse(bytes, spec)
        assert.ok(!isMalformed(read))
        assert.deepEqual({ ...read.fields }, { ...message.fields })
        assert.equal(read.mti, message.mti)
      }),
      { seed, numRuns: times(150, 5_000) },
    )
  })

test('whatever is to be packed, there are bytes or a fault', () => {
  const fields = fc.dictionary(
    fc.oneof(fc.nat({ max: 130 }).map(String), fc.string()),
    fc.oneof(fc.string({ unit: 'binary' }), fc.constant(undefined)),
  )
  fc.assert(
    fc.property(fc.record({ mti: fc.oneof(fc.string(), fc.constant('0200')), fields }), (draft) => {
      const result = pack(draft, iso87a)
      if (isMalformed(result)) assert.match(result.text, /^field /)
      else judge(result, iso87a)
    }),
    { seed, numRuns: times(500, 50_000) },
  )
})

describe('a sample that is spoiled gives a message or a fault, and nothing else', () => {
  test('cut anywhere, it is a fault that keeps what was whole', () => {
    for (const sample of samples) {
      const whole = parse(sample, iso87a)
      for (let length = 0; length < sample.length; length += 1) {
        const cut = sample.subarray(0, length)
        judge(cut, iso87a)
        const result = parse(cut, iso87a)
        assert.ok(isMalformed(result) && !isMalformed(whole))
        for (const [number, value] of Object.entries(result.read.fields))
          assert.equal(value, whole.fields[Number(number)])
      }
    }
  })

  test('each byte made each other byte', () => {
    for (const spec of specs.slice(0, times(1, 2)))
      for (const sample of samples) {
        const bytes = Buffer.from(sample)
        for (const [at, byte] of sample.entries()) {
          for (let other = 0; other < 256; other += 1) {
            bytes[at] = other
            judge(bytes, spec)
          }
          bytes[at] = byte
        }
      }
  })

  test('a byte more or a byte less anywhere', () => {
    for (const sample of samples)
      for (let at = 0; at <= sample.length; at += 1) {
        judge(Buffer.concat([sample.subarray(0, at), sample.subarray(at + 1)]), iso87a)
        judge(Buffer.concat([sample.subarray(0, at), Buffer.from('0'), sample.subarray(at)]), iso87a)
      }
  })
})

describe('fuzzing', () => {
  for (const file of readdirSync(found))
    test(`an input that was found before: ${file}`, () =>
      judgeAll(Buffer.from(readFileSync(new URL(file, found), 'utf8').trim(), 'hex')))

  test('inputs by chance, for a while', () => {
    const chance = prng(seed)
    const pool = [...samples]
    const until = performance.now() + times(500, 60_000)
    for (let runs = 0; performance.now() < until; runs += 1) {
      const bytes = mutate(oneOf(pool, chance), pool, chance)
      try {
        judgeAll(bytes)
      } catch (error) {
        const name = `seed-${seed}-${runs}.hex`
        writeFileSync(new URL(name, found), `${bytes.toString('hex')}\n`)
        throw new Error(`kept as test/iso8583/message/found/${name}`, { cause: error })
      }
      // What is still a message, and is another one, is a place to go on from.
      if (bytes.length < 2_000 && !isMalformed(parse(bytes, iso87a))) keep(pool, bytes, chance)
    }
  })
})

function keep(pool: Buffer[], bytes: Buffer, chance: Chance): void {
  if (pool.length < poolMax) pool.push(bytes)
  else pool[samples.length + chance(poolMax - samples.length)] = bytes
}

function judgeAll(bytes: Buffer): void {
  for (const spec of specs) judge(bytes, spec)
}

function mutate(sample: Buffer, pool: readonly Buffer[], chance: Chance): Buffer {
  let bytes = Buffer.from(sample)
  for (let changes = 1 + chance(4); changes > 0; changes -= 1)
    bytes = oneOf(mutations, chance)(bytes, pool, chance)
  return bytes
}

type Mutation = (bytes: Buffer<ArrayBuffer>, pool: readonly Buffer[], chance: Chance) => Buffer<ArrayBuffer>

const mutations: readonly Mutation[] = [
  (bytes, _, chance) => put(bytes, chance(bytes.length + 1), Buffer.from([chance(256)])),
  (bytes, _, chance) => put(bytes, chance(bytes.length + 1), Buffer.from([48 + chance(10)])),
  // A bit of the bitmap.
  (bytes, _, chance) => put(bytes, 4 + chance(32), Buffer.from('0123456789ABCDEF'.charAt(chance(16)))),
  (bytes, _, chance) => bytes.subarray(0, chance(bytes.length + 1)),
  (bytes, _, chance) => splice(bytes, chance(bytes.length + 1), chance(8), Buffer.of()),
  (bytes, _, chance) => splice(bytes, chance(bytes.length + 1), 0, Buffer.alloc(chance(40), 48 + chance(64))),
  (bytes, pool, chance) => {
    const other = oneOf(pool, chance)
    return splice(
      bytes,
      chance(bytes.length + 1),
      chance(bytes.length + 1),
      other.subarray(chance(other.length + 1)),
    )
  },
]

function put(bytes: Buffer<ArrayBuffer>, at: number, one: Buffer): Buffer<ArrayBuffer> {
  return splice(bytes, at, 1, one)
}

function splice(bytes: Buffer, at: number, taken: number, given: Buffer): Buffer<ArrayBuffer> {
  return Buffer.concat([bytes.subarray(0, at), given, bytes.subarray(at + taken)])
}

function oneOf<Each>(list: readonly Each[], chance: Chance): Each {
  return list[chance(list.length)] as Each
}
