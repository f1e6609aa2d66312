// What earlier programs wrote: this one opens it, proves it, says under old keys what was said then, and writes on.

import assert from 'node:assert/strict'
import { mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { inspect } from 'node:util'
import { prove } from '../../src/stores/sqlite/prove.ts'
import { place, serve } from '../process/support.ts'
import { long } from '../support/profile.ts'
import { fixtureNames, layDown, readFixture } from './fixture.ts'
import { checkSaid, env } from './said.ts'

const schemaDirectory = join(import.meta.dirname, '..', '..', 'src', 'stores', 'sqlite', 'schema')

test('every schema of the journal has a fixture that its program wrote', () => {
  const schemas = readdirSync(schemaDirectory)
    .filter((name) => /^[0-9]+-.*\.sql$/.test(name))
    .map((name) => Number.parseInt(name, 10))
  const covered = new Set(fixtureNames.map((name) => readFixture(name).schema))
  assert.ok(schemas.length > 0)
  assert.deepEqual(
    schemas.filter((schema) => !covered.has(schema)),
    [],
    'run test/upgrade/make-fixture.ts with the program that is released with the new schema',
  )
})

for (const name of fixtureNames)
  for (const end of endsOf(name))
    test(`${name}, ${end}: proven, answered as then, and written on`, (t) => checkUpgrade(t, name, end))

/** Each start costs its second: of those that were stopped in order the oldest will do, where time is short. */
function endsOf(name: string): readonly ('stopped' | 'killed')[] {
  return long || name === fixtureNames[0] ? ['stopped', 'killed'] : ['killed']
}

async function checkUpgrade(t: TestContext, name: string, end: 'stopped' | 'killed'): Promise<void> {
  const fixture = readFixture(name)
  const { directory } = place(t)
  mkdirSync(join(directory, end))
  const path = layDown(name, end, join(directory, end))
  const was = fixture[end]

  // As it lies there, before anything may write.
  const found = prove(path)
  assert.ok('blocks' in found, inspect(found))
  assert.deepEqual({ blocks: found.blocks, head: found.head }, { blocks: was.block, head: was.hash })

  const server = await serve(t, { path, env })
  await checkSaid(server, fixture, was)
  assert.deepEqual((await server.stop()).code, 0, server.log.join('\n'))

  const after = prove(path)
  assert.ok('blocks' in after, inspect(after))
  assert.ok(after.blocks > was.block, 'it was written on')
  assert.equal(hashOf(path, was.block), was.hash, 'what was there is there')
}

function hashOf(path: string, block: number): unknown {
  const db = new DatabaseSync(path, { readOnly: true })
  const hash = db.prepare('select hash from blocks where sequence = ?').get(block)?.['hash']
  db.close()
  return hash
}
