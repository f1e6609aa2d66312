/** Amounts for people, from the integer's own digits: nothing divides. */

export type Money = {
  /** Such as `$60.00`; of a sum that is too large for a number, too. */
  readonly full: (minor: number | bigint) => string
  /** Such as `+$60.00`. */
  readonly signed: (minor: number) => string
  /** Such as `$60`, where nothing follows the point. */
  readonly short: (minor: number) => string
  /** Such as `$8K`, where there is little room. */
  readonly about: (minor: number) => string
  /** Such as `60`: what is printed on a note. */
  readonly note: (minor: number) => string
  /** Such as `60.00`, for other programs. */
  readonly plain: (minor: number) => string
  /** Minor units of so many whole ones, as they are typed at a machine. */
  readonly ofWhole: (digits: string) => number
}

// ISO 4217, where it is not two. Own table, since Intl gives HUF and others no decimals (the cash rule).
const decimalsByCode = new Map([
  ...byCode(0, 'BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF'),
  ...byCode(3, 'BHD IQD JOD KWD LYD OMR TND'),
  ...byCode(4, 'CLF UYW'),
])

function byCode(decimals: number, codes: string): [string, number][] {
  return codes.split(' ').map((code) => [code, decimals])
}

/** How many decimals the amounts of a currency have. */
export function decimalsOf(currency: string): number {
  return decimalsByCode.get(currency) ?? 2
}

export function moneyIn(currency: string, language: string): Money {
  const decimals = decimalsOf(currency)
  const style = { style: 'currency', currency } as const
  const digits = { minimumFractionDigits: decimals, maximumFractionDigits: decimals }
  const format = new Intl.NumberFormat(language, { ...style, ...digits })
  const signed = new Intl.NumberFormat(language, { ...style, ...digits, signDisplay: 'exceptZero' })
  const whole = new Intl.NumberFormat(language, { ...style, maximumFractionDigits: 0 })
  const compact = new Intl.NumberFormat(language, { ...style, notation: 'compact' })
  const isWhole = (minor: number) => /^-?0*$/.test(String(minor).slice(decimals === 0 ? 99 : -decimals))
  return {
    full: (minor) => format.format(decimal(minor, decimals)),
    signed: (minor) => signed.format(decimal(minor, decimals)),
    short: (minor) => (isWhole(minor) ? whole : format).format(decimal(minor, decimals)),
    about: (minor) => compact.format(decimal(minor, decimals)),
    note: (minor) => String(decimal(minor, decimals)).replace(/\.0*$/, ''),
    plain: (minor) => decimal(minor, decimals),
    ofWhole: (digits) => Number(digits + '0'.repeat(decimals)),
  }
}

/** Digits with a point in their place: Intl formats such text exactly. */
function decimal(minor: number | bigint, decimals: number): `${number}` {
  const digits = String(minor)
    .replace('-', '')
    .padStart(decimals + 1, '0')
  const at = digits.length - decimals
  const text = decimals === 0 ? digits : `${digits.slice(0, at)}.${digits.slice(at)}`
  return `${minor < 0 ? '-' : ''}${text}` as `${number}`
}
