/** Amounts that people type, digits with a point where the currency has one, as whole minor units. */
import { decimalsOf } from '../../money.ts'

// As many as any list holds: what is above is no amount, and below all is exact.
const minorMax = 1_000_000_000_000

/** Undefined of what is no amount of the currency, such as a tenth of a cent. */
export function minorIn(text: string, currency: string): number | undefined {
  const decimals = decimalsOf(currency)
  const [, whole, part = ''] = /^([0-9]{1,13})(?:\.([0-9]*))?$/.exec(text.trim()) ?? []
  if (whole === undefined || part.length > decimals) return undefined
  const minor = Number(whole + part.padEnd(decimals, '0'))
  return minor <= minorMax ? minor : undefined
}
