/**
 * Money as whole minor units (cents), and the two ways it is written: decimal text from clients, digits to
 * them. Nothing here divides or rounds: near 2^53 two neighbouring cents are the same double.
 */

/** A whole number of minor units of some currency; always a safe integer. */
export type Minor = number

/** The largest amount or balance there can be: 2^53 − 1 minor units. */
export const minorMax: Minor = Number.MAX_SAFE_INTEGER

/** An ISO 4217 code that this table knows, such as `USD`. */
export type Currency = string

/** A plain decimal in its one shortest form, such as `100` or `0.5`: no exponent, no spare zeros, above zero. */
export type Decimal = string

/** Milliseconds since 1970 by the wall clock. */
export type Instant = number

// ISO 4217, active codes. Own table, since Intl gives HUF no decimals (the cash rule, not the currency's).
const codesByDecimals: Record<number, string> = {
  0: 'BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF',
  2:
    'AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF ' +
    'CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL ' +
    'HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU ' +
    'MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR ' +
    'SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED ' +
    'VES WST XCD XCG YER ZAR ZMW ZWG',
  3: 'BHD IQD JOD KWD LYD OMR TND',
  4: 'CLF UYW',
}

const decimalsByCode = new Map(
  Object.entries(codesByDecimals).flatMap(([decimals, codes]) =>
    codes.split(' ').map((code) => [code, Number(decimals)] as const),
  ),
)

export const currencies: readonly Currency[] = [...decimalsByCode.keys()].sort()

/** How many decimals a currency has, or undefined where it is no ISO 4217 code. */
export function decimalsOf(currency: string): number | undefined {
  return decimalsByCode.get(currency)
}

export type AmountProblem = 'amount_invalid' | 'amount_not_positive' | 'amount_too_large'

const jsonNumber = /^(-?)(0|[1-9][0-9]*)(?:\.([0-9]+))?(?:[eE]([+-]?[0-9]+))?$/
// No currency has more than 4 decimals and no amount more than 16 digits, so nothing longer can be money.
const digitsMax = 64

/**
 * Reads an amount from the digits a client wrote, by JSON's grammar for numbers, exactly.
 * `1e2` is 100. What is left for `toMinor` is only what depends on the currency.
 */
export function parseDecimal(literal: string): { decimal: Decimal } | { problem: AmountProblem } {
  const match = jsonNumber.exec(literal)
  if (match === null) return { problem: 'amount_invalid' }
  const [, sign, whole = '', fraction = '', exponentText = '0'] = match
  const digits = (whole + fraction).replace(/^0+/, '')
  if (sign === '-' || digits === '') return { problem: 'amount_not_positive' }

  const significant = withoutZerosBehind(digits)
  // Power of ten of the last significant digit. An exponent text of any length is safe here: Number makes it ±Infinity.
  const power = Number(exponentText) - fraction.length + (digits.length - significant.length)
  if (significant.length + power > digitsMax) return { problem: 'amount_too_large' }
  if (power < -digitsMax || significant.length > digitsMax) return { problem: 'amount_invalid' }

  if (power >= 0) return { decimal: significant + '0'.repeat(power) }
  const padded = significant.padStart(1 - power, '0')
  return { decimal: `${padded.slice(0, power)}.${padded.slice(power)}` }
}

/** Not /0+$/: that looks at every run of zeros to its end, and a hostile amount can have thousands. */
function withoutZerosBehind(digits: string): string {
  let end = digits.length
  while (digits[end - 1] === '0') end -= 1
  return digits.slice(0, end)
}

/** A decimal in minor units of a currency; a problem where the currency has fewer decimals or 2^53 − 1 is passed. */
export function toMinor(decimal: Decimal, currency: Currency): Minor | AmountProblem {
  const decimals = decimalsByCode.get(currency) ?? 0
  const point = decimal.indexOf('.')
  const whole = point < 0 ? decimal : decimal.slice(0, point)
  const fraction = point < 0 ? '' : decimal.slice(point + 1)
  if (fraction.length > decimals) return 'amount_invalid'
  // Every whole number above 2^53 − 1 reads as at least 2^53, so the comparison is exact although the number may not be.
  const minor = Number(whole + fraction.padEnd(decimals, '0'))
  return minor > minorMax ? 'amount_too_large' : minor
}

/** Writes minor units with the currency's decimals, from the integer's own digits: `100000` USD is `1000.00`. */
export function formatMinor(minor: Minor | bigint, currency: Currency): string {
  const decimals = decimalsByCode.get(currency) ?? 0
  const text = String(minor)
  if (decimals === 0) return text
  const sign = text.startsWith('-') ? '-' : ''
  const digits = text.slice(sign.length).padStart(decimals + 1, '0')
  return `${sign}${digits.slice(0, -decimals)}.${digits.slice(-decimals)}`
}
