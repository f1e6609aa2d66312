/**
 * Card numbers, PINs and what PINs travel in, as the tests use them: none may be in anything that a server writes, not
 * in a log, a file of the store, a backup or an answer. Whoever ends a server looks.
 */
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'

/** Card numbers of tests and of the demo begin so; nothing else does. */
const pans = /476173900101[0-9]{4}|4761739001[0-9]{6}/

/** What a test adds: a PIN of its own, a block, a key. */
const more = new Set<string>()

export function alsoSecret(...texts: readonly string[]): void {
  for (const text of texts) more.add(text)
}

/** What of it is in a text; undefined where nothing is. Of a card number no more than its end is told. */
export function secretIn(text: string): string | undefined {
  const pan = pans.exec(text)?.[0]
  if (pan !== undefined) return `the card number that ends in ${pan.slice(-4)}`
  const upper = text.toUpperCase()
  for (const one of more) if (upper.includes(one.toUpperCase())) return `${one.slice(0, 2)}…, a secret`
  return undefined
}

export function assertNoSecrets(where: string, text: string): void {
  const found = secretIn(text)
  assert.equal(found, undefined, `${where} has ${found}`)
}

// Larger ones are of loads that know no cards.
const bytesMax = 64 * 2 ** 20

/** Looks through all files of a folder, whatever they are; but a copy of the program, which knows the demo's cards. */
export function assertNoSecretsIn(directory: string): void {
  for (const found of readdirSync(directory, { withFileTypes: true })) {
    const path = join(directory, found.name)
    if (found.isDirectory() && found.name !== 'src') assertNoSecretsIn(path)
    const isSmall = found.isFile() && (statSync(path, { throwIfNoEntry: false })?.size ?? 0) <= bytesMax
    if (isSmall && existsSync(path)) assertNoSecrets(found.name, readFileSync(path, 'latin1'))
  }
}
