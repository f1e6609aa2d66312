// `NAME.head`: a journal that lost its end is told from one that ends there, on the real process and files.

import assert from 'node:assert/strict'
import { copyFileSync, cpSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { after, test } from 'node:test'
import { prove } from '../../src/stores/sqlite/prove.ts'
import { SqliteStore } from '../../src/stores/sqlite/store.ts'
import { deposit, pending } from '../support/commands.ts'
import { assertOneLine, Client, isUnusable, place, run, type Scope, serve, verify } from './support.ts'

type Store = { readonly path: string; readonly head: string; readonly early: string }

/** A store with some blocks, and a copy of its journal from before the last of them. */
const workshop = place({ after })
{
  const { path, directory } = workshop
  for (const round of [1, 2]) {
    const store = await SqliteStore.open({ path })
    for (let i = 0; i < 3; i += 1) await store.commit([pending(deposit('A', '1'))])
    await store.close()
    if (round === 1) copyFileSync(path, `${directory}/early.db`)
  }
}

async function openAndClose(path: string): Promise<void> {
  const store = await SqliteStore.open({ path })
  await store.close()
}

function storeWithPast(t: Scope): Store {
  const { path, directory } = place(t)
  cpSync(workshop.directory, directory, { recursive: true })
  return { path, head: path.replace(/\.db$/, '.head'), early: `${directory}/early.db` }
}

test('the head file names the newest block, after a stop and after SIGKILL', async (t) => {
  const { path, head } = storeWithPast(t)
  const server = await serve(t, { path })
  assert.equal((await new Client(server).deposit('A', 100))?.status, 200)
  await server.kill()
  const [, block, hash] = /^ *([0-9]+) ([0-9a-f]{64}) +\1\n$/.exec(readFileSync(head, 'utf8')) ?? []
  const proven = prove(path)
  assert.ok(!('what' in proven))
  assert.deepEqual([String(proven.blocks), proven.head], [block, hash])
})

test('an older journal in its place: refused in one line, and by verify, until that is accepted', async (t) => {
  const { path, early } = storeWithPast(t)
  copyFileSync(early, path)
  const says = /block \d+ is the newest, but block \d+ was committed.*--accept-lost-tail/
  assertOneLine(await run(['serve', '--port', '0', '--store', `sqlite:${path}`]), 1, says)
  const found = await verify(path)
  assert.equal(found.code, 1)
  assert.match(found.stderr, /but block \d+ was committed|but the journal ends before it/)

  const server = await serve(t, { path, env: { CASHPOINT_ACCEPT_LOST_TAIL: '1' } })
  assert.equal(await new Client(server).balance('A'), 300)
  await server.stop()
  // It was accepted once: from here on the shorter journal is the one that counts.
  await openAndClose(path)
})

test('a journal with another past is not the one that was here', async (t) => {
  const { path, head } = storeWithPast(t)
  const text = readFileSync(head, 'utf8')
  writeFileSync(
    head,
    text.replace(/[0-9a-f]{64}/, (hash) => hash.split('').reverse().join('')),
  )
  await assert.rejects(openAndClose(path), isUnusable(/is not the one that was committed/))
})

test('a journal that is gone is not taken for a new store', async (t) => {
  const { path } = storeWithPast(t)
  for (const suffix of ['', '-wal', '-shm']) rmSync(path + suffix, { force: true })
  await assert.rejects(openAndClose(path), isUnusable(/block 0 is the newest, but block \d+ was committed/))
})

for (const [name, change] of Object.entries({
  missing: (head: string) => rmSync(head),
  empty: (head: string) => writeFileSync(head, ''),
  torn: (head: string) => writeFileSync(head, readFileSync(head, 'utf8').slice(0, 30)),
  older: (head: string) => writeFileSync(head, `${'0'.padStart(16)} ${'0'.repeat(64)}\n`),
  'half of one and half of another': (head: string) =>
    writeFileSync(
      head,
      readFileSync(head, 'utf8').replace(/^ *\d+ [0-9a-f]{20}/, (half) =>
        half.replace(/[0-9a-f]{20}$/, 'a'.repeat(20)).replace(/\d(?= )/, '9'),
      ),
    ),
}))
  test(`a head file that is ${name} says nothing, and is written anew`, async (t) => {
    const { path, head } = storeWithPast(t)
    change(head)
    await openAndClose(path)
    assert(existsSync(head))
    assert.match(readFileSync(head, 'utf8'), /^ +([1-9][0-9]*) [0-9a-f]{64} +\1\n$/)
  })
