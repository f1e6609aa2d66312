/** Money on the wire: whole minor units here, the digits of decimal text there, and nothing between them that rounds. */

/** `123456` as `1234.56`. */
export function decimalOf(minor: number, decimals: number): string {
  const digits = String(Math.abs(minor)).padStart(decimals + 1, '0')
  const whole = digits.slice(0, digits.length - decimals)
  return `${minor < 0 ? '-' : ''}${whole}${decimals === 0 ? '' : `.${digits.slice(-decimals)}`}`
}

/** A JSON number's own digits in minor units; undefined where it is no amount: half a cent, or 0.30000000000000004. */
export function minorOf(literal: string, decimals: number): number | undefined {
  const [, sign, whole = '', fraction = ''] = /^(-?)([0-9]+)(?:\.([0-9]+))?$/.exec(literal) ?? []
  const short = fraction.replace(/0+$/, '')
  if (whole === '' || short.length > decimals) return undefined
  const minor = Number(whole + short.padEnd(decimals, '0'))
  if (!Number.isSafeInteger(minor)) return undefined
  return sign === '-' ? -minor : minor
}

/** The digits that a member of a JSON body was written with. */
export function literalOf(body: string, member: string): string | undefined {
  return new RegExp(`"${member}"\\s*:\\s*(-?[0-9][0-9.eE+-]*)`).exec(body)?.[1]
}
