/** Amounts for people, from the integer's own digits: nothing divides. */

export type Money = {
  /** Such as `$60.00`. */
  readonly full: (minor: number) => string
  /** Such as `$60`, where nothing follows the point. */
  readonly short: (minor: number) => string
  /** Such as `$8K`, where there is little room. */
  readonly about: (minor: number) => string
  /** Such as `60`: what is printed on a note. */
  readonly note: (minor: number) => string
  /** Minor units of so many whole ones, as they are typed at a machine. */
  readonly ofWhole: (digits: string) => number
}

export function moneyIn(currency: string, language: string): Money {
  const format = new Intl.NumberFormat(language, { style: 'currency', currency })
  const whole = new Intl.NumberFormat(language, { style: 'currency', currency, maximumFractionDigits: 0 })
  const compact = new Intl.NumberFormat(language, { style: 'currency', currency, notation: 'compact' })
  const decimals = format.resolvedOptions().maximumFractionDigits ?? 2
  const isWhole = (minor: number) => /^-?0*$/.test(String(minor).slice(decimals === 0 ? 99 : -decimals))
  return {
    full: (minor) => format.format(decimal(minor, decimals)),
    short: (minor) => (isWhole(minor) ? whole : format).format(decimal(minor, decimals)),
    about: (minor) => compact.format(decimal(minor, decimals)),
    note: (minor) => String(decimal(minor, decimals)).replace(/\.0*$/, ''),
    ofWhole: (digits) => Number(digits + '0'.repeat(decimals)),
  }
}

/** Digits with a point in their place: Intl formats such text exactly. */
function decimal(minor: number, decimals: number): `${number}` {
  const digits = String(Math.abs(minor)).padStart(decimals + 1, '0')
  const at = digits.length - decimals
  const text = decimals === 0 ? digits : `${digits.slice(0, at)}.${digits.slice(at)}`
  return `${minor < 0 ? '-' : ''}${text}` as `${number}`
}
