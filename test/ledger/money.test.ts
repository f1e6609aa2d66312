/** Amounts as text in and out, exact to the last digit: tables of what was thought of, properties for the rest. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { decimalsOf, formatMinor, minorMax, parseDecimal, toMinor } from '../../src/ledger/money.ts'

/** What a literal comes to in a currency: minor units, or the problem with it. */
function read(literal: string, currency: string): number | string {
  const parsed = parseDecimal(literal)
  return 'problem' in parsed ? parsed.problem : toMinor(parsed.decimal, currency)
}

function check(currency: string, table: Record<string, number | string>): void {
  for (const [literal, expected] of Object.entries(table))
    assert.equal(read(literal, currency), expected, `${JSON.stringify(literal)} in ${currency}`)
}

test('an amount is read from its own digits, however it is written', () => {
  check('USD', {
    '100': 10_000,
    '100.0': 10_000,
    '100.00': 10_000,
    '100.00000000000000000000000000000000000000000000000000000000000000000000000000': 10_000,
    '1e2': 10_000,
    '1E2': 10_000,
    '1e+2': 10_000,
    '1E+2': 10_000,
    '1e0002': 10_000,
    '1000e-1': 10_000,
    '0.1e3': 10_000,
    '10000000000000000000000000000000e-29': 10_000,
    '1.0e-1': 10,
    '0.1': 10,
    '0.30': 30,
    '0.01': 1,
    '1e-2': 1,
    '0.0100': 1,
    '10.10': 1_010,
    '1005': 100_500,
  })
})

test('what the currency cannot hold is refused, never rounded', () => {
  check('USD', {
    '0.001': 'amount_invalid',
    '1.005': 'amount_invalid',
    '1e-3': 'amount_invalid',
    '1e-400': 'amount_invalid',
    '1e-99999999999': 'amount_invalid',
    '0.000000000000000000000000000000000000000000000000000000000000000000000000000001': 'amount_invalid',
    '1.00000000000000000000000000000000000000000000000000000000000000000000000000001': 'amount_invalid',
    '99.999999999999999999999': 'amount_invalid',
  })
})

test('amounts end at 2^53 - 1 minor units, and the next cent is too large', () => {
  check('USD', {
    '90071992547409.90': minorMax - 1,
    '90071992547409.91': minorMax,
    '90071992547409.92': 'amount_too_large',
    '90071992547409.93': 'amount_too_large',
    '9007199254740991e-2': minorMax,
    '9007199254740992e-2': 'amount_too_large',
    '9007199254740993.10': 'amount_too_large',
    '1000000000000000000000000000000': 'amount_too_large',
    '1e30': 'amount_too_large',
    '1e62': 'amount_too_large',
    '1e63': 'amount_too_large',
    '1e64': 'amount_too_large',
    '1e309': 'amount_too_large',
    '1e99999999999': 'amount_too_large',
    '1e9999999999999999999999999999999999999999': 'amount_too_large',
  })
  check('JPY', {
    '9007199254740991': minorMax,
    '9007199254740991.0': minorMax,
    '9007199254740992': 'amount_too_large',
    '9007199254740993': 'amount_too_large',
  })
  check('KWD', { '9007199254740.991': minorMax, '9007199254740.992': 'amount_too_large' })
  check('CLF', { '900719925474.0991': minorMax, '900719925474.0992': 'amount_too_large' })
})

test('nothing, and less than nothing, is not positive', () => {
  const table = [
    '0',
    '0.00',
    '0e5',
    '0e-5',
    '0e999999999999',
    '0.0000000000000000000000000',
    '-0',
    '-0.0',
    '-1',
    '-0.001',
    '-1e309',
    '-100.00',
  ]
  check('USD', Object.fromEntries(table.map((literal) => [literal, 'amount_not_positive'])))
})

test('text that is no JSON number is no amount', () => {
  const table = [
    '',
    ' ',
    ' 1',
    '1 ',
    '1\n',
    '\n1',
    '\u{feff}1',
    '01',
    '00',
    '-01',
    '+1',
    '--1',
    '-',
    '.5',
    '5.',
    '.',
    '1.e2',
    '1e',
    '1e+',
    'e2',
    '1e2.0',
    '1.2.3',
    '1,000',
    '1_0',
    '0x10',
    '0b1',
    '0o7',
    '1n',
    '٣',
    '１',
    '٠',
    '1٫5',
    'NaN',
    'Infinity',
    '-Infinity',
    'true',
    'null',
    '[1]',
    '{}',
    '$1',
    '1 USD',
    '1%',
    '−1',
    '__proto__',
  ]
  check('USD', Object.fromEntries(table.map((literal) => [literal, 'amount_invalid'])))
})

test('equal amounts are one decimal, so that one key takes them for one request', () => {
  const spellings = { '100': ['1e2', '1E+2', '100.00', '1000e-1', '0.1e3'], '0.5': ['5e-1', '0.50', '50E-2'] }
  for (const [shortest, others] of Object.entries(spellings))
    for (const literal of [shortest, ...others])
      assert.deepEqual(parseDecimal(literal), { decimal: shortest }, literal)
})

test('money is written with the decimals of its currency, from its own digits', () => {
  const table: [number | bigint, string, string][] = [
    [100_000, 'USD', '1000.00'],
    [0, 'USD', '0.00'],
    [1, 'USD', '0.01'],
    [99, 'USD', '0.99'],
    [100, 'USD', '1.00'],
    [-1, 'USD', '-0.01'],
    [-12_345, 'USD', '-123.45'],
    [minorMax, 'USD', '90071992547409.91'],
    [minorMax - 1, 'USD', '90071992547409.90'],
    [1_000, 'JPY', '1000'],
    [0, 'JPY', '0'],
    [-5, 'JPY', '-5'],
    [1, 'KWD', '0.001'],
    [12_345, 'KWD', '12.345'],
    [1, 'CLF', '0.0001'],
    [3n * BigInt(minorMax), 'USD', '270215977642229.73'],
    [-(10n ** 30n), 'USD', '-10000000000000000000000000000.00'],
  ]
  for (const [minor, currency, expected] of table)
    assert.equal(formatMinor(minor, currency), expected, `${minor} ${currency}`)
})

test('currencies have the decimals ISO 4217 gives them, and what is no currency has none', () => {
  const table = { JPY: 0, KRW: 0, USD: 2, EUR: 2, HUF: 2, ISK: 0, KWD: 3, BHD: 3, TND: 3, CLF: 4, UYW: 4 }
  for (const [code, decimals] of Object.entries(table)) assert.equal(decimalsOf(code), decimals, code)
  for (const code of ['XXX', 'usd', '', 'USDX', 'XAU', '__proto__', 'constructor', 'toString'])
    assert.equal(decimalsOf(code), undefined, code)
})

const byDecimals = fc.constantFrom(
  { c: 'JPY', d: 0 },
  { c: 'USD', d: 2 },
  { c: 'KWD', d: 3 },
  { c: 'CLF', d: 4 },
)
// The ends are where mistakes are: near nothing, near 2^53, and in between.
const minors = fc.oneof(
  fc.integer({ min: 1, max: 10_001 }),
  fc.integer({ min: 0, max: 10_001 }).map((below) => minorMax - below),
  fc.maxSafeNat().map((minor) => Math.max(1, minor)),
)

test('what is written reads back as itself, in every currency', () => {
  fc.assert(
    fc.property(byDecimals, minors, ({ c: currency }, minor) => {
      assert.equal(read(formatMinor(minor, currency), currency), minor)
    }),
  )
})

test('what is written is what BigInt arithmetic writes', () => {
  fc.assert(
    fc.property(byDecimals, fc.bigInt(-(2n ** 80n), 2n ** 80n), ({ c: currency, d }, minor) => {
      const size = minor < 0n ? -minor : minor
      const one = 10n ** BigInt(d)
      const fraction = String(size % one).padStart(d, '0')
      const written = `${minor < 0n ? '-' : ''}${size / one}${d === 0 ? '' : `.${fraction}`}`
      assert.equal(formatMinor(minor, currency), written)
    }),
  )
})

const digits = fc.string({ unit: fc.constantFrom(...'0123456789'), maxLength: 20 })
const literals = fc.record({
  whole: digits.map((text) => text.replace(/^0+/, '') || '0'),
  fraction: fc.option(
    digits.map((text) => text || '0'),
    { nil: '' },
  ),
  exponent: fc.option(fc.integer({ min: -40, max: 40 }), { nil: undefined }),
  mark: fc.constantFrom('e', 'E'),
  plus: fc.boolean(),
})

test('any JSON number reads as BigInt arithmetic says, or is refused where that is no whole amount', () => {
  const property = fc.property(byDecimals, literals, ({ c: currency, d }, parts) => {
    const { whole, fraction, exponent = 0, mark, plus } = parts
    const power = parts.exponent === undefined ? '' : `${mark}${plus && exponent >= 0 ? '+' : ''}${exponent}`
    const literal = `${whole}${fraction && `.${fraction}`}${power}`

    const value = BigInt(whole + fraction)
    const shift = exponent - fraction.length + d
    const [minor, rest] =
      shift >= 0
        ? [value * 10n ** BigInt(shift), 0n]
        : [value / 10n ** BigInt(-shift), value % 10n ** BigInt(-shift)]
    const allowed = new Set<number | string>()
    if (value === 0n) allowed.add('amount_not_positive')
    else {
      if (minor > BigInt(minorMax)) allowed.add('amount_too_large')
      if (rest !== 0n) allowed.add('amount_invalid')
      if (allowed.size === 0) allowed.add(Number(minor))
    }
    const actual = read(literal, currency)
    assert(allowed.has(actual), `${literal} ${currency} read as ${actual}, not ${[...allowed].join(' or ')}`)
  })
  fc.assert(property, { numRuns: 1000 })
})

test('any text at all is read or refused, and only what JSON takes for a number is read', () => {
  const texts = fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom(...'0123456789.eE+- ') }))
  const property = fc.property(texts, (text) => {
    const parsed = parseDecimal(text)
    if (!('decimal' in parsed)) return
    assert.match(parsed.decimal, /^(?:0|[1-9][0-9]*)(?:\.[0-9]*[1-9])?$/)
    assert.equal(typeof JSON.parse(text), 'number')
    assert.equal(text, text.trim())
  })
  fc.assert(property, { numRuns: 1000 })
})

test('a literal as long as a body may be is judged at once', () => {
  // A regular expression that tries every zero as the first of the last ones stops every other client for seconds.
  const zeros = '0'.repeat(60_000)
  const startedMs = performance.now()
  for (const literal of [
    `1${zeros}1`,
    `1${zeros}1.5`,
    `0.${zeros}1`,
    `1.${zeros}1`,
    `1e${zeros}1`,
    `1${zeros}x`,
  ])
    assert('problem' in parseDecimal(literal) || literal.startsWith('1e'))
  assert(performance.now() - startedMs < 250, `took ${Math.round(performance.now() - startedMs)} ms`)
})
