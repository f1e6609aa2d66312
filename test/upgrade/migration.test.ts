// The next migration, by the program that will have it: a kill in its midst leaves the old schema or the new one, and
// this program refuses a store that is newer.

import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, test } from 'node:test'
import { prove } from '../../src/stores/sqlite/prove.ts'
import { assertOneLine, launch, pause, place, type Ran, run, serve, verify } from '../process/support.ts'
import { prng, seed } from '../support/chance.ts'
import { times } from '../support/profile.ts'
import { fixtureNames, layDown, readFixture } from './fixture.ts'
import { checkSaid, env } from './said.ts'

const chance = prng(seed)
const root = join(import.meta.dirname, '..', '..')
const { directory: workshop } = place({ after })
const newest = fixtureNames.at(-1) ?? ''
const number =
  readdirSync(join(root, 'src/stores/sqlite/schema')).filter((name) => /^[0-9]+-/.test(name)).length + 1

const rows = 60_000
const slow = `
create table notes (id integer primary key, text text not null) strict;
insert into notes
  with recursive numbers (n) as (select 1 union all select n + 1 from numbers where n < ${rows})
  select n, printf('note %d of a migration that takes its time', n) from numbers;
create unique index notes_by_text on notes (text);
alter table writers add column note text;
update writers set note = 'migrated';
`

/** This program with one more migration: its launcher. */
function programWith(sql: string): string {
  const tree = mkdtempSync(join(workshop, 'program-'))
  for (const part of ['src', 'packaging', 'package.json'])
    cpSync(join(root, part), join(tree, part), { recursive: true })
  symlinkSync(join(root, 'node_modules'), join(tree, 'node_modules'))
  writeFileSync(join(tree, 'src/stores/sqlite/schema', `${String(number).padStart(4, '0')}-next.sql`), sql)
  return join(tree, 'packaging', 'launch.cjs')
}

function oldStore(): { readonly directory: string; readonly path: string } {
  const directory = mkdtempSync(join(workshop, 'store-'))
  return { directory, path: layDown(newest, 'killed', directory) }
}

const fixtureSize = sizeOf(oldStore().path)

function sizeOf(path: string): { readonly records: number; readonly blocks: number } {
  const db = new DatabaseSync(path, { readOnly: true })
  const count = (table: string) => Number(db.prepare(`select count(*) as n from ${table}`).get()?.['n'])
  const size = { records: count('records'), blocks: count('blocks') }
  db.close()
  return size
}

/** What a journal has of its schema and of the migration, and its lines as the fixture has them: a start adds others. */
function schemaOf(path: string): {
  version: number
  migrations: number
  tables: number
  column: boolean
  lines: string
} {
  const db = new DatabaseSync(path, { readOnly: true })
  const one = (sql: string) => Object.values(db.prepare(sql).get() ?? {})[0]
  const lines = db.prepare('select * from records order by sequence limit ?').all(fixtureSize.records)
  const blocks = db.prepare('select * from blocks order by sequence limit ?').all(fixtureSize.blocks)
  const found = {
    version: Number(one('pragma user_version')),
    migrations: Number(one('select count(*) from migrations')),
    tables: Number(one("select count(*) from sqlite_schema where name in ('notes', 'notes_by_text')")),
    column: one("select count(*) from pragma_table_info('writers') where name = 'note'") === 1,
    lines: hash('sha256', JSON.stringify([lines, blocks]), 'hex'),
  }
  db.close()
  return found
}

test(`killed in the midst of a migration: the old schema or the new one, and the next start completes it (SEED=${seed})`, async (t) => {
  const entry = programWith(slow)
  const { path } = oldStore()
  const fixture = readFixture(newest)
  const { lines } = schemaOf(path)
  const before = { version: number - 1, migrations: number - 1, tables: 0, column: false, lines }
  const whole = { version: number, migrations: number, tables: 2, column: true, lines }

  let inside = 0
  for (let round = 0; round < times(2, 25) && schemaOf(path).version < number; round += 1) {
    const { child, exit } = launch(t, { path, entry, env })
    child.stdout.resume()
    // The WAL grows while the migration writes more than fits into the cache: that far, and no further.
    const far = chance(2_500_000)
    const grown = () => (existsSync(`${path}-wal`) ? statSync(`${path}-wal`).size : 0)
    const from = grown()
    for (
      let waitedMs = 0;
      grown() < from + far && waitedMs < 15_000 && child.exitCode === null;
      waitedMs += 2
    )
      await pause(2)
    if (round % 3 === 2) await pause(chance(60))
    child.kill('SIGKILL')
    await exit
    const left = schemaOf(path)
    assert.deepEqual(left, left.version < number ? before : whole, `killed ${far} bytes in`)
    if (left.version < number) inside += 1
  }
  assert.ok(inside > 0, 'some kill came before it was done')

  const server = await serve(t, { path, entry, env })
  assert.deepEqual(schemaOf(path), whole)
  await checkSaid(server, fixture, fixture.killed)
  // Killed, so that the refusal below has a WAL to leave alone.
  await server.kill()
  t.diagnostic(`SEED=${seed}: ${inside} kills inside the migration`)

  const directory = join(path, '..')
  const bytes = bytesOf(directory)
  assert.ok((bytes['cashpoint.db-wal'] ?? '') !== '', 'there is a WAL')
  const says = new RegExp(
    `was written by a newer Cashpoint \\(schema ${number}; this one knows ${number - 1}\\)`,
  )
  assertOneLine(await serveNot(path), 1, says)
  assertOneLine(await verify(path), 1, says)
  assert.deepEqual(bytesOf(directory), bytes)
})

function serveNot(path: string): Promise<Ran> {
  return run(['serve', '--store', `sqlite:${path}`, '--port', '0'])
}

/** The files that a store consists of and the hashes of their bytes. */
function bytesOf(directory: string): Record<string, string> {
  const names = readdirSync(directory).filter((name) => !/(\.lock|\.pid|-shm)$/.test(name))
  return Object.fromEntries(
    names.map((name) => [name, hash('sha256', readFileSync(join(directory, name)), 'hex')]),
  )
}

test('a migration that fails leaves the store as it was', async (t) => {
  const entry = programWith(
    'create table notes (id integer primary key) strict; insert into nowhere values (1);',
  )
  const { path } = oldStore()
  const before = schemaOf(path)
  const { child, log, exit } = launch(t, { path, entry, env })
  child.stdout.resume()
  assert.equal((await exit).code, 1)
  assert.equal(log.length, 1, log.join('\n'))
  assert.match(log[0] ?? '', /^cashpoint: .*no such table: nowhere$/)
  assert.deepEqual(schemaOf(path), before)

  const found = prove(path)
  const { killed } = readFixture(newest)
  assert.ok('blocks' in found)
  assert.deepEqual([found.blocks, found.head], [killed.block, killed.hash])
})
