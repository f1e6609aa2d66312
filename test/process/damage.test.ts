// Files that are not ours, are newer, or are damaged: one clear line and not a byte changed; and what is derived
// is made anew.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { hash } from 'node:crypto'
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, test } from 'node:test'
import { StoreError } from '../../src/bank/store.ts'
import { prove } from '../../src/stores/sqlite/prove.ts'
import { SqliteStore } from '../../src/stores/sqlite/store.ts'
import { prng, seed } from '../support/chance.ts'
import { deposit, pending } from '../support/commands.ts'
import { times } from '../support/profile.ts'
import { Judge, startLoad } from './load.ts'
import {
  assertOneLine,
  assertProvesHere,
  Client,
  isRoot,
  isUnusable,
  place,
  type Ran,
  run,
  type Scope,
  serve,
  serveHere,
  smallDisk,
  until,
  verify,
} from './support.ts'

const chance = prng(seed)
const { directory: workshop } = place({ after })

// One history, in the files of a server that was killed and of the one that ended in order after it.
const judge = new Judge()
const killed = join(workshop, 'killed')
const stopped = join(workshop, 'stopped')
/** What was logged by the server that was started on what the killed one left. */
let logAfterKill: readonly string[] = []
await makeHistory()

async function makeHistory(): Promise<void> {
  const path = join(killed, 'cashpoint.db')
  const server = await serve({ after }, { path })
  const load = startLoad(judge, { port: server.port, chance, name: 'history', clients: 3 })
  await until('there is a history', () => (judge.tally['done'] ?? 0) > 200)
  await load.stop()
  await server.kill()
  cpSync(killed, stopped, { recursive: true })
  const next = await serve({ after }, { path: join(stopped, 'cashpoint.db') })
  await checkHistory(next)
  logAfterKill = next.log
  assert.equal((await next.stop()).code, 0)
}

/** A store's files in a directory of their own, to be damaged. */
function copyOf(source: string): { readonly directory: string; readonly path: string } {
  const directory = mkdtempSync(join(workshop, 'copy-'))
  cpSync(source, directory, { recursive: true })
  return { directory, path: join(directory, 'cashpoint.db') }
}

function emptyPlace(): { readonly directory: string; readonly path: string } {
  const directory = mkdtempSync(join(workshop, 'empty-'))
  return { directory, path: join(directory, 'cashpoint.db') }
}

/** The files of a directory and the hashes of their bytes, but for what our and SQLite's locks leave beside them. */
function bytesOf(directory: string): Record<string, string> {
  const kept = readdirSync(directory, { withFileTypes: true }).filter(
    ({ name }) => !/(\.lock|\.pid|-shm)$/.test(name),
  )
  return Object.fromEntries(
    kept.map((entry) => [
      entry.name,
      entry.isFile() ? hashOf(readFileSync(join(directory, entry.name))) : 'not a file',
    ]),
  )
}

function hashOf(bytes: Buffer): string {
  return hash('sha256', bytes, 'hex')
}

const nothing = hashOf(Buffer.alloc(0))

/** Lets another program change a database and be killed, so that its WAL stays. */
function changedByAnother(path: string, sql: string): void {
  const script = `
    const { DatabaseSync } = require('node:sqlite')
    new DatabaseSync(process.argv[1]).exec(process.argv[2])
    process.kill(process.pid, 'SIGKILL')`
  spawnSync(process.execPath, ['--disable-warning=ExperimentalWarning', '-e', script, path, sql])
  assert.ok(existsSync(`${path}-wal`), 'the WAL stays')
}

/** Runs a server that cannot start. */
function serveNot(path: string): Promise<Ran> {
  return run(['serve', '--store', `sqlite:${path}`, '--port', '0'])
}

async function serveAndStop(path: string): Promise<void> {
  const server = await serveHere(path)
  await server.stop()
}

/** Those that are `told` are given to the commands as processes too. */
const strangers: {
  name: string
  make(): { directory: string; path: string }
  says: RegExp
  told?: boolean
}[] = [
  {
    name: 'a file that is no database',
    make() {
      const at = emptyPlace()
      writeFileSync(at.path, 'Dear diary, today I had an account.\n'.repeat(1_000))
      return at
    },
    says: /is not a Cashpoint store, or is damaged/,
    told: true,
  },
  {
    name: 'an empty file',
    make() {
      const at = emptyPlace()
      writeFileSync(at.path, '')
      return at
    },
    says: /is an empty file/,
  },
  {
    name: 'a directory',
    make() {
      const at = emptyPlace()
      mkdirSync(at.path)
      return at
    },
    says: /is not a file/,
  },
  {
    name: 'the database of another program',
    make() {
      const at = emptyPlace()
      const db = new DatabaseSync(at.path)
      db.exec('pragma application_id = 1234; create table notes (text); insert into notes values (1)')
      db.close()
      return at
    },
    says: /is a database of another program/,
  },
  {
    name: 'the database of another program that was killed',
    make() {
      const at = emptyPlace()
      changedByAnother(
        at.path,
        'pragma journal_mode = wal; create table notes (text); insert into notes values (1)',
      )
      return at
    },
    says: /is a database of another program/,
  },
  {
    name: 'a store of a newer Cashpoint',
    make() {
      const at = copyOf(stopped)
      const db = new DatabaseSync(at.path)
      db.exec('pragma user_version = 99')
      db.close()
      return at
    },
    says: /was written by a newer Cashpoint \(schema 99;/,
  },
  {
    name: 'a store of a newer Cashpoint that was killed',
    make() {
      const at = copyOf(killed)
      changedByAnother(at.path, 'pragma user_version = 99')
      return at
    },
    says: /was written by a newer Cashpoint \(schema 99;/,
    told: true,
  },
  {
    name: 'a store that was made with another migration',
    make() {
      const at = copyOf(killed)
      changedByAnother(at.path, "update migrations set checksum = 'other'")
      return at
    },
    says: /was made with another migration 1/,
  },
]

for (const { name, make, says, told } of strangers)
  test(`${name} is refused in one line, and is not changed`, async () => {
    const { directory, path } = make()
    const before = bytesOf(directory)

    assert.throws(() => prove(path), isUnusable(says))
    await assert.rejects(serveAndStop(path), isUnusable(says))
    if (told) for (const ran of await Promise.all([serveNot(path), verify(path)])) assertOneLine(ran, 1, says)

    // A WAL that was not there, and has nothing in it, is what SQLite leaves where it only looks.
    const after = bytesOf(directory)
    for (const file of Object.keys(after))
      if (!(file in before) && after[file] === nothing) delete after[file]
    assert.deepEqual(after, before)
  })

test('no store at all: verify says so, and makes none', () => {
  const { directory, path } = emptyPlace()
  assert.throws(() => prove(path), isUnusable(/there is no store at/))
  assert.deepEqual(readdirSync(directory), [])
})

test('a directory that cannot be written is refused in one line', async (t) => {
  for (const source of [stopped, killed, undefined]) {
    const at = await readOnlyPlace(t, source)
    if (at === undefined) return t.skip('root writes everywhere, and may not mount a disk here')
    const before = bytesOf(at.directory)
    await assert.rejects(serveAndStop(at.path), isUnusable(/cannot be written/))
    assert.deepEqual(bytesOf(at.directory), before)
  }
})

async function readOnlyPlace(scope: Scope, source: string | undefined) {
  if (!isRoot) {
    const at = source === undefined ? emptyPlace() : copyOf(source)
    for (const name of readdirSync(at.directory)) chmodSync(join(at.directory, name), 0o444)
    chmodSync(at.directory, 0o555)
    scope.after(() => chmodSync(at.directory, 0o755))
    return at
  }
  const disk = smallDisk(scope, 16)
  if (disk === undefined) return undefined
  if (source !== undefined) cpSync(source, disk.directory, { recursive: true })
  disk.remount('ro')
  return { directory: disk.directory, path: join(disk.directory, 'cashpoint.db') }
}

test('a path that leads through a file is refused in one line', async () => {
  const store = join(copyOf(stopped).path, 'cashpoint.db')
  await assert.rejects(serveAndStop(store), isUnusable(/cannot be written/))
})

function rowsOf(path: string, table: string): unknown[] {
  const db = new DatabaseSync(path, { readOnly: true })
  const rows = db.prepare(`select * from ${table}`).all()
  db.close()
  return rows.map((row) => ({ ...row }))
}

test('a changed amount is named, by block and record', async () => {
  const { path } = copyOf(stopped)
  const genuine = recordsOf(path)
  // SQLite leaves old bytes behind where it moves rows, so that not every place that looks like a record is one.
  const text = /"type":"deposit","debit":"cash:USD","credit":"[^"]*","amount":(?=[1-8])/g
  const bytes = readFileSync(path, 'latin1')
  let changed: Row | undefined
  for (const { index, 0: before } of bytes.matchAll(text)) {
    const at = index + before.length
    writeFileSync(path, bytes.slice(0, at) + String(Number(bytes[at]) + 1) + bytes.slice(at + 1), 'latin1')
    changed = recordsOf(path).find(({ body }, i) => body !== genuine[i]?.body)
    if (changed !== undefined) break
  }
  const record = changed?.sequence ?? assert.fail('an amount was changed')
  const block = (rowsOf(path, 'blocks') as Row[]).find(({ last }) => last >= record)?.sequence

  const ran = await verify(path)
  assertOneLine(ran, 1, new RegExp(`the books do not prove: block ${block}\\b`))
  assertOneLine(ran, 1, new RegExp(`block ${block}, record ${record} `))
})

type Row = { readonly sequence: number; readonly body: string; readonly last: number; readonly hash: string }

function recordsOf(path: string): Row[] {
  return rowsOf(path, 'records') as Row[]
}

test('a balance that only the index has is named', () => {
  const { directory, path } = copyOf(stopped)
  const index = new DatabaseSync(join(directory, 'cashpoint-index.db'))
  index.exec("update accounts set ledger = ledger + 1 where number = '123456789'")
  index.close()
  const found = prove(path)
  assert.match('what' in found ? found.what : '', /the index has \d+ on account 123456789/)
})

test('whatever page of the journal is damaged, verify says so in one line', async () => {
  const genuine = readFileSync(join(stopped, 'cashpoint.db'))
  const pageSize = genuine.readUInt16BE(16)
  const pages = genuine.length / pageSize
  assert.ok(pages > 20, `${pages} pages`)
  const { path } = copyOf(stopped)
  const noise = Buffer.from(Array.from({ length: pageSize }, () => chance(256)))
  let said = false
  for (let page = 0; page < pages; page += 1) {
    const damaged = Buffer.from(genuine)
    noise.copy(damaged, page * pageSize)
    writeFileSync(path, damaged)
    const found = proven(path)
    if (found !== undefined) assertSameRows(path, `page ${page + 1}`)
    else if (!said) {
      assertOneLine(await verify(path), 1, /./)
      said = true
    }
  }
  assert.ok(said)
})

test(`a changed byte anywhere in the journal is found, or says nothing (SEED=${seed})`, () => {
  const genuine = readFileSync(join(stopped, 'cashpoint.db'))
  const { path } = copyOf(stopped)
  let found = 0
  const rounds = times(60, 1_000)
  for (let round = 0; round < rounds; round += 1) {
    const at = chance(genuine.length)
    const damaged = Buffer.from(genuine)
    damaged[at] = (damaged[at] ?? 0) ^ (1 << chance(8))
    writeFileSync(path, damaged)
    if (proven(path) === undefined) found += 1
    else assertSameRows(path, `byte ${at}`)
  }
  assert.ok(found > rounds / 3, `${found} of ${rounds} found`)
})

/** What verify proves, in this process; undefined where it finds a fault. Anything but a fault must not happen. */
function proven(path: string): { readonly blocks: number; readonly head: string } | undefined {
  try {
    const found = prove(path)
    return 'what' in found ? undefined : found
  } catch (error) {
    assert.ok(error instanceof StoreError && error.code === 'unusable', `${(error as Error).stack}`)
    return undefined
  }
}

const genuineRows = textOf(join(stopped, 'cashpoint.db'))

function textOf(path: string): string {
  return JSON.stringify([rowsOf(path, 'records'), rowsOf(path, 'blocks')])
}

function assertSameRows(path: string, where: string): void {
  assert.ok(textOf(path) === genuineRows, `damage in ${where} goes unseen`)
}

test('a server refuses in one line what it cannot read at its start', async () => {
  const { path } = copyOf(stopped)
  damageTable(path, 'blocks')
  assertOneLine(await serveNot(path), 1, /damaged/)
})

test('a journal cut short is refused in one line', async () => {
  const { path } = copyOf(stopped)
  truncateSync(path, readFileSync(path).length - 5_000)
  assertOneLine(await serveNot(path), 1, /damaged/)
  assertOneLine(await verify(path), 1, /damaged/)
})

const indexDamage: { name: string; damage(index: string): void | Promise<void> }[] = [
  { name: 'deleted', damage: (index) => rmSync(index) },
  { name: 'empty', damage: (index) => truncateSync(index, 0) },
  { name: 'cut short', damage: (index) => truncateSync(index, 8_192) },
  {
    name: 'garbage, and its WAL too',
    damage(index) {
      writeFileSync(index, 'x'.repeat(50_000))
      writeFileSync(`${index}-wal`, 'y'.repeat(50_000))
    },
  },
  {
    name: 'that of another store',
    async damage(index) {
      const at = emptyPlace()
      const store = await SqliteStore.open({ path: at.path })
      await store.commit([pending(deposit('123456789', '1'))])
      await store.close()
      cpSync(join(at.directory, 'cashpoint-index.db'), index)
    },
  },
]

for (const { name, damage } of indexDamage)
  test(`an index that is ${name} is made anew, and that is said`, async (t) => {
    const { directory, path } = copyOf(stopped)
    await damage(join(directory, 'cashpoint-index.db'))
    // Verify says so, or does not need it.
    proven(path)

    const server = await serve(t, { path })
    assert.match(server.log.join('\n'), /the index (is|belongs) [^"]*: it is made from the journal/)
    await checkHistory(server)
    await server.stop()
    assertProvesHere(path)
  })

test('an index with a damaged page is made anew', async (t) => {
  const { directory, path } = copyOf(stopped)
  damageTable(join(directory, 'cashpoint-index.db'), 'accounts')
  const server = await serve(t, { path })
  await checkHistory(server)
})

test('damage that is met while it runs ends the server; the next start mends it', async (t) => {
  const { directory, path } = copyOf(stopped)
  damageTable(join(directory, 'cashpoint-index.db'), 'keys')
  const server = await serve(t, { path })
  const client = new Client(server)
  await client.deposit('123456789', 100, 'a-key-that-is-looked-up')
  assert.equal((await server.exit).code, 70)
  client.close()

  const next = await serve(t, { path })
  assert.match(next.log.join('\n'), /the index is missing: it is made from the journal/)
  await checkHistory(next)
})

/** Overwrites the first page of a table. */
function damageTable(path: string, table: string): void {
  const db = new DatabaseSync(path, { readOnly: true })
  const root = db.prepare('select rootpage from sqlite_schema where name = ?').get(table)?.['rootpage']
  db.close()
  const bytes = readFileSync(path)
  const pageSize = bytes.readUInt16BE(16)
  bytes.fill(0x5a, (Number(root) - 1) * pageSize, Number(root) * pageSize)
  writeFileSync(path, bytes)
}

test('a whole index is not made anew', () => {
  assert.deepEqual(logAfterKill, [])
})

/** That a server on a copy of the history has its balances and knows its keys. */
async function checkHistory(server: { readonly port: number }): Promise<void> {
  const client = new Client(server)
  assert.deepEqual(sorted(await client.balances()), sorted(judge.balances))
  await judge.checkReplays(client)
  client.close()
}

function sorted(balances: ReadonlyMap<string, number>): [string, number][] {
  return [...balances].sort(([a], [b]) => (a < b ? -1 : 1))
}

test(`a WAL cut anywhere leaves exactly the commits before the cut (SEED=${seed})`, () => {
  const { path, directory } = copyOf(killed)
  for (const derived of ['cashpoint-index.db', 'cashpoint.head']) rmSync(join(directory, derived))
  const wal = readFileSync(`${path}-wal`)
  const main = readFileSync(path)
  const blocks = rowsOf(path, 'blocks') as { sequence: number; hash: string }[]
  const ends = commitEnds(wal)
  assert.ok(ends.length > 20 && ends.length <= blocks.length, `${ends.length} commits in the WAL`)

  const cuts = [0, 1, 31, 32, wal.length - 1, ...ends.slice(-3).flatMap((end) => [end - 1, end, end + 1])]
  for (let i = 0; i < times(30, 300); i += 1) cuts.push(chance(wal.length))
  for (const cut of cuts) {
    writeFileSync(path, main)
    writeFileSync(`${path}-wal`, wal.subarray(0, cut))
    rmSync(`${path}-shm`, { force: true })
    const left = blocks.length - ends.filter((end) => end > cut).length
    if (left === 0) continue
    const found = proven(path)
    assert.deepEqual(
      { blocks: found?.blocks, head: found?.head },
      { blocks: left, head: blocks[left - 1]?.hash },
      `cut at ${cut} of ${wal.length}`,
    )
  }
})

test(`a WAL with a changed byte leaves some whole commits (SEED=${seed})`, () => {
  const { path, directory } = copyOf(killed)
  for (const derived of ['cashpoint-index.db', 'cashpoint.head']) rmSync(join(directory, derived))
  const wal = readFileSync(`${path}-wal`)
  const main = readFileSync(path)
  const blocks = rowsOf(path, 'blocks') as { sequence: number; hash: string }[]
  for (let round = 0; round < times(30, 300); round += 1) {
    const at = chance(wal.length)
    const damaged = Buffer.from(wal)
    damaged[at] = (damaged[at] ?? 0) ^ (1 << chance(8))
    writeFileSync(path, main)
    writeFileSync(`${path}-wal`, damaged)
    rmSync(`${path}-shm`, { force: true })
    const found = proven(path)
    if (found === undefined || found.blocks === 0) continue
    assert.equal(found.head, blocks[found.blocks - 1]?.hash, `byte ${at} of ${wal.length}`)
  }
})

/** Where the commits of a WAL end: after the frames that say how large the database is. */
function commitEnds(wal: Buffer): number[] {
  const frame = 24 + wal.readUInt32BE(8)
  const ends: number[] = []
  for (let at = 32; at + frame <= wal.length; at += frame) {
    const ours = wal.subarray(at + 8, at + 16).equals(wal.subarray(16, 24))
    if (ours && wal.readUInt32BE(at + 4) > 0) ends.push(at + frame)
  }
  return ends
}

test('a WAL that was cut has lost commits: that is said, and once accepted the server goes on with what is left', async (t) => {
  const { path, directory } = copyOf(killed)
  rmSync(join(directory, 'cashpoint-index.db'))
  const wal = readFileSync(`${path}-wal`)
  const end = commitEnds(wal).at(-5) ?? 0
  truncateSync(`${path}-wal`, end + 100)

  const lost = /but block \d+ was committed: the last commits are lost/
  assertOneLine(await serveNot(path), 1, lost)
  const server = await serve(t, { path, env: { CASHPOINT_ACCEPT_LOST_TAIL: '1' } })
  const client = new Client(server)
  assert.equal((await client.deposit('123456789', 100, 'after-the-cut'))?.status, 200)
  client.close()
  await server.stop()
  assertProvesHere(path)
})

test('a journal that ends before what its index has seen has lost commits, and that is said', () => {
  const { path, directory } = copyOf(killed)
  // How far the index had come when its server was killed is chance; that of the server after it has come to the end.
  for (const suffix of ['', '-wal', '-shm'])
    rmSync(join(directory, `cashpoint-index.db${suffix}`), { force: true })
  cpSync(join(stopped, 'cashpoint-index.db'), join(directory, 'cashpoint-index.db'))
  const wal = readFileSync(`${path}-wal`)
  truncateSync(`${path}-wal`, commitEnds(wal).at(2) ?? 0)
  const found = prove(path)
  assert.match('what' in found ? found.what : '', /the index/)
})
