/** Whether the keys are those that the store was written with: compared by values that say nothing of them. */
import { digest, type KeyVersion } from './key-ring.ts'

/** By a key's name and version, such as `pan:1`. */
export type CheckValues = Readonly<Record<string, string>>

/** Of each key enough to know it again: 32 bits of an HMAC under it. */
export function checkValuesOf(purpose: string, versions: readonly KeyVersion[]): CheckValues {
  const named = versions.map(({ version, key }) => ({ name: `${purpose}:${version}`, key }))
  return Object.fromEntries(
    named.map(({ name, key }) => [name, digest(key, `cashpoint check value ${name}`).slice(0, 8)]),
  )
}

/** The first key that the store knows and that is not there, or is another one; more keys than it knows are well. */
export function judgeCheckValues(
  stored: CheckValues,
  actual: CheckValues,
): { readonly name: string; readonly problem: 'missing' | 'other' } | undefined {
  for (const [name, value] of Object.entries(stored)) {
    if (actual[name] === undefined) return { name, problem: 'missing' }
    if (actual[name] !== value) return { name, problem: 'other' }
  }
  return undefined
}
