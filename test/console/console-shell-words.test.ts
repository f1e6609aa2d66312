/** What the console says: each language says all of it. The compiler sees most of this; not what a record leaves out. */
import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { pathToFileURL } from 'node:url'

const folder = join(import.meta.dirname, '..', '..', 'src', 'console', 'web', 'console', 'messages')
const languages = ['en', 'he']
const names = [...new Set(readdirSync(folder).map((file) => file.replace(/\.[a-z]+\.ts$/, '')))]

async function wordsOf(name: string, language: string): Promise<object> {
  const { words } = await import(pathToFileURL(join(folder, `${name}.${language}.ts`)).href)
  return words
}

/** Such as `line.open`, and `line.broken ()` of what is said of something. */
function textsIn(words: object, at = ''): string[] {
  return Object.entries(words).flatMap(([name, what]) => {
    if (typeof what === 'object') return textsIn(what, `${at}${name}.`)
    return typeof what === 'function' ? [`${at}${name} ()`] : [`${at}${name}`]
  })
}

function emptyIn(words: object): string[] {
  return Object.entries(words).flatMap(([name, what]) => {
    if (typeof what === 'object') return emptyIn(what)
    return what === '' ? [name] : []
  })
}

for (const name of names)
  test(`${name}: every language has the same words`, async () => {
    const all = await Promise.all(languages.map((language) => wordsOf(name, language)))
    const [first = [], ...others] = all.map((words) => textsIn(words).sort())
    assert(first.length > 0)
    for (const other of others) assert.deepEqual(other, first)
    assert.deepEqual(all.flatMap(emptyIn), [])
  })

test('there are words to compare', () => {
  assert(names.includes('common') && names.includes('overview'))
})
