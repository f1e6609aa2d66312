/** Stores as old programs left them: what each wrote, and what it said to whom. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { load } from './dump.ts'

/** A request under a key, and what it was answered when it was repeated. */
export type Asked = {
  readonly method: string
  readonly path: string
  readonly body: string
  readonly key: string
  readonly authorization?: string
  readonly status: number
  readonly said: string
  /** The newest block by then. */
  readonly by: number
}

export type Fixture = {
  readonly schema: number
  /** The newest block when its server was first stopped in order, and when it was killed at the end. */
  readonly stopped: End
  readonly killed: End
  /** The list of accounts at the end, to the letter. */
  readonly accounts: string
  readonly asked: readonly Asked[]
}

export type Head = { readonly block: number; readonly hash: string; readonly last: number }

/** How it ended; `headFile` is what it had written beside the store, where it wrote such a file. */
export type End = Head & { readonly headFile?: string | undefined }

export const fixturesDirectory = join(import.meta.dirname, 'fixtures')

/** The names of all fixtures, from the oldest on. */
export const fixtureNames: readonly string[] = readdirSync(fixturesDirectory).sort()

export function readFixture(name: string): Fixture {
  return JSON.parse(readFileSync(join(fixturesDirectory, name, 'says.json'), 'utf8'))
}

/** The store's files in a directory, as that program left them: stopped in order, or killed later with a WAL. */
export function layDown(name: string, end: 'stopped' | 'killed', directory: string): string {
  const source = join(fixturesDirectory, name)
  const path = join(directory, 'cashpoint.db')
  const { stopped, [end]: is } = readFixture(name)
  const { before, after } = splitAt(readFileSync(join(source, 'journal.sql'), 'utf8'), stopped)
  load(path, before)
  if (end === 'killed') writeAndBeKilled(path, after)
  load(join(directory, 'cashpoint-index.db'), readFileSync(join(source, 'index.sql'), 'utf8'))
  if (is.headFile !== undefined) writeFileSync(join(directory, 'cashpoint.head'), is.headFile)
  const keys = join(source, 'keys.json')
  if (existsSync(keys)) writeFileSync(join(directory, 'keys.json'), readFileSync(keys), { mode: 0o600 })
  return path
}

/** A journal's dump in what was there up to a block, and the lines and blocks behind it. */
function splitAt(sql: string, { block, last }: Head): { before: string; after: string } {
  const isAfter = (line: string) => {
    const [, table, sequence] = /^insert into (records|blocks) values \(([0-9]+),/.exec(line) ?? []
    return table !== undefined && Number(sequence) > (table === 'blocks' ? block : last)
  }
  const lines = sql.split('\n')
  return {
    before: lines.filter((line) => !isAfter(line)).join('\n'),
    after: lines.filter(isAfter).join('\n'),
  }
}

/** Another process commits this and is killed, so that it is in the WAL alone. */
export function writeAndBeKilled(path: string, sql: string): void {
  const script = `
    const { DatabaseSync } = require('node:sqlite')
    const db = new DatabaseSync(process.argv[1])
    db.exec('begin; ' + process.argv[2] + ' commit')
    process.kill(process.pid, 'SIGKILL')`
  spawnSync(process.execPath, ['--disable-warning=ExperimentalWarning', '-e', script, path, sql])
  assert.ok(statSync(`${path}-wal`).size > 0, 'the WAL stays')
}
