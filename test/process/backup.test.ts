// Backups of a server under load, and back: whole, proven, to any block or instant; and what is wrong with one, said.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, test } from 'node:test'
import { SqliteStore } from '../../src/stores/sqlite/store.ts'
import { prng, seed } from '../support/chance.ts'
import { deposit, gist, pending } from '../support/commands.ts'
import { times } from '../support/profile.ts'
import { Judge, startLoad } from './load.ts'
import {
  assertOneLine,
  assertProves,
  assertProvesHere,
  Client,
  cleanEnv,
  launcher,
  pause,
  place,
  run,
  type Scope,
  type Server,
  serve,
} from './support.ts'

/** A running server with some thousand records: more than a hundred pages. */
async function filled(t: Scope): Promise<{ path: string; directory: string; server: Server }> {
  const { path, directory } = place(t)
  const server = await serve(t, { path })
  const one = { type: 'deposit', account: '555555555', amount: 1, currency: 'USD' }
  const body = JSON.stringify({ operations: Array.from({ length: 1_000 }, () => one) })
  const headers = { 'content-type': 'application/json' }
  for (let i = 0; i < 3; i += 1) {
    const { status } = await fetch(`${server.url}/v1/batches`, { method: 'POST', headers, body })
    assert.equal(status, 200)
  }
  assert.ok(statSync(`${path}-wal`).size + statSync(path).size > 100 * 4096)
  return { path, directory, server }
}

type Block = { sequence: number; hash: string; at: number; last: number }

/** The blocks of a store that no server is using. */
function blocksIn(path: string): Block[] {
  const db = new DatabaseSync(path, { readOnly: true })
  const blocks = db.prepare('select sequence, hash, at, last from blocks order by sequence').all()
  db.close()
  return blocks as Block[]
}

function headSaid(stdout: string): string {
  return /^ {2}head ([0-9a-f]{64})$/m.exec(stdout)?.[1] ?? ''
}

test(`copies of one running server, and of what it left (SEED=${seed})`, {
  timeout: times(90_000, 180_000),
}, async (t) => {
  const { path, directory, server } = await filled(t)
  const backup = join(directory, 'backup.db')

  await t.test('backups under load are whole, and serve', async () => {
    const judge = new Judge()
    const load = startLoad(judge, { port: server.port, chance: prng(seed), name: 'load' })
    const client = new Client(server)
    const backups: { file: string; key: string; head: string }[] = []
    for (let i = 0; i < times(2, 10); i += 1) {
      await pause(100)
      const key = `before-${i}`
      assert.equal((await client.deposit('marker', 100 + i, key))?.status, 200)
      const file = join(directory, `backup-${i}.db`)
      const { code, stdout, stderr } = await run(['backup', file, '--store', `sqlite:${path}`])
      assert.deepEqual({ code, stderr }, { code: 0, stderr: '' })
      assert.match(stdout, /^Backed up and proven: \d+ records in \d+ blocks, \d+ accounts, up to \d{4}-/)
      backups.push({ file, key, head: headSaid(stdout) })
    }
    await load.stop()
    client.close()
    assert.ok((judge.tally['done'] ?? 0) > 100, 'there was load')

    const all = blocksIn(path)
    const byHash = new Map(all.map((block) => [block.hash, block]))
    let before = 0
    for (const [i, { file, key, head }] of backups.entries()) {
      const made = readdirSync(directory).filter((name) => name.startsWith(basename(file, '.db')))
      assert.deepEqual(
        made,
        [basename(file), basename(file).replace(/db$/, 'head')],
        'the file, and its head',
      )
      const block = byHash.get(head)
      assert.ok(
        block !== undefined && block.sequence > before,
        'it ends with a block of the journal, later each time',
      )
      before = block.sequence
      assert.deepEqual(blocksIn(file), all.slice(0, block.sequence), 'and is the journal up to there')

      const restored = join(directory, `restored-${block.sequence}.db`)
      const { code, stdout } = await run(['restore', file, '--store', `sqlite:${restored}`])
      assert.deepEqual([code, headSaid(stdout)], [0, head])
      assertProvesHere(restored)
      if (i >= times(1, 10)) continue
      const again = await serve(t, { path: restored })
      const other = new Client(again)
      const amount = 100 + Number(key.split('-')[1])
      const replay = await other.deposit('marker', amount, key)
      assert.equal(
        replay?.headers['idempotency-replayed'],
        'true',
        'what was acknowledged before it began is in it',
      )
      other.close()
      await again.stop()
    }
  })

  await t.test('an export is JSON lines, and comes back as the same journal to the byte', async () => {
    const headers = {
      'content-type': 'application/json',
      'idempotency-key': '2"q',
    }
    const metadata = { 2: 'two', 1: 'one', é: '😀 \u2028 \\ "', ' ': '' }
    const body = JSON.stringify({
      account: '123456789',
      amount: 1,
      currency: 'USD',
      reference: 'ü',
      metadata,
    })
    assert.equal((await fetch(`${server.url}/v1/deposits`, { method: 'POST', headers, body })).status, 201)
    const { code, stdout } = await run(['export', '--store', `sqlite:${path}`])
    assert.equal(code, 0)
    const lines = stdout.trimEnd().split('\n')
    const blocks = blocksIn(path)
    const { sequence, hash } = blocks.at(-1) ?? {}
    assert.deepEqual(JSON.parse(lines.at(-1) ?? ''), { end: { sequence, hash } }, 'it says where it ends')
    assert.equal(lines.length, blocks.length + 1)
    assert.equal(JSON.parse(lines[0] ?? '').records[0].kind, 'account_opened')
    const file = join(directory, 'export.jsonl')
    writeFileSync(file, stdout)
    const imported = join(directory, 'imported.db')
    const done = await run(['import', file, '--store', `sqlite:${imported}`])
    assert.deepEqual([done.code, done.stderr], [0, ''])
    assert.deepEqual(blocksIn(imported), blocks)
    await assertProves(imported)
    assert.equal((await run(['export', '--store', `sqlite:${imported}`])).stdout, stdout)

    const none = ['--store', `sqlite:${join(directory, 'none.db')}`]
    const wrong: [string, string, RegExp][] = [
      [
        'an amount',
        stdout.replace('"amount":1,', '"amount":2,'),
        /^cashpoint: block \d+, record \d+ was changed/,
      ],
      ['a line less', lines.slice(1).join('\n'), /block 2 follows block 0: blocks are missing/],
      ['a line twice', [lines[0], ...lines].join('\n'), /block 1 follows block 1/],
      ['half a line', stdout.slice(0, -30), /line \d+ is no block of an export/],
      ['no last line', stdout.split('\n').slice(0, -2).join('\n'), /cut short/],
      [
        'a block less',
        [...lines.slice(0, -2), lines.at(-1)].join('\n'),
        /ends with block \d+, which is not there/,
      ],
      ['nothing', '', /cut short: it ends after 0 lines/],
      ['something else', '{"a":1}\n', /line 1 is no block of an export/],
    ]
    for (const [what, text, says] of wrong) {
      writeFileSync(file, text)
      assertOneLine(await run(['import', file, ...none]), 1, says)
      assert.ok(
        !readdirSync(directory).some((name) => name.startsWith('none')),
        `${what}: nothing was written`,
      )
    }
  })

  await t.test('killed in the middle it leaves no backup, and the next one is whole', async () => {
    const chance = prng(seed)
    for (let round = 0; round < 6 && !existsSync(backup); round += 1) {
      const child = spawn(process.execPath, [launcher, 'backup', backup, '--store', `sqlite:${path}`], {
        stdio: 'ignore',
        env: cleanEnv({}),
      })
      const ended = once(child, 'close')
      await pause(100 + chance(200))
      child.kill('SIGKILL')
      await ended
      if (existsSync(backup)) await assertProves(backup)
    }
    if (!existsSync(backup))
      assert.equal((await run(['backup', backup, '--store', `sqlite:${path}`])).code, 0)
    assertProvesHere(backup)
    assert.deepEqual(blocksIn(backup), blocksIn(path))
  })

  await t.test('two copies to one place at once: one is made, whole, and the other is refused', async () => {
    const backup = join(directory, 'twice.db')
    const both = await Promise.all([1, 2].map(() => run(['backup', backup, '--store', `sqlite:${path}`])))
    assert.deepEqual(both.map(({ code }) => code).sort(), [0, 1])
    const refused = both.find(({ code }) => code === 1)
    assert.match(refused?.stderr ?? '', /^cashpoint: .*(in use by another|is there already).*\n$/)
    assert.deepEqual(blocksIn(backup), blocksIn(path))
  })

  await t.test('an export ends quietly where nobody reads on', async () => {
    const child = spawn(process.execPath, [launcher, 'export', '--store', `sqlite:${path}`], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: cleanEnv({}),
    })
    await once(child.stdout, 'data')
    child.stdout.destroy()
    const [said, [code]] = await Promise.all([
      child.stderr.setEncoding('utf8').toArray(),
      once(child, 'close'),
    ])
    assert.deepEqual({ said: said.join(''), code }, { said: '', code: 0 })
  })

  await t.test('nothing is overwritten: neither a store nor what one left', async () => {
    const before = readFileSync(backup)
    assertOneLine(await run(['backup', backup, '--store', `sqlite:${path}`]), 1, /is there already/)
    assertOneLine(await run(['backup', path, '--store', `sqlite:${path}`]), 1, /in use by another server/)
    assertOneLine(await run(['restore', backup, '--store', `sqlite:${path}`]), 1, /in use by another server/)
    assert.deepEqual(readFileSync(backup), before)
    assert.equal((await new Client(server).deposit('A', 100))?.status, 200)
    await server.stop()
    assertOneLine(await run(['restore', backup, '--store', `sqlite:${path}`]), 1, /is there already/)
    const other = join(directory, 'other.db')
    writeFileSync(join(directory, 'other.head'), 'of a store that is gone')
    assertOneLine(
      await run(['restore', backup, '--store', `sqlite:${other}`]),
      1,
      /other\.head is there already/,
    )
  })

  await t.test('a backup that was damaged is not restored', async () => {
    const damaged = join(directory, 'damaged.db')
    copyFileSync(join(directory, 'backup.head'), join(directory, 'damaged.head'))
    const bytes = readFileSync(backup)
    const at = bytes.indexOf('"amount":100000')
    assert.ok(at > 0)
    bytes.write('9', at + '"amount":'.length)
    writeFileSync(damaged, bytes)
    const restored = ['--store', `sqlite:${join(directory, 'restored.db')}`]
    assertOneLine(
      await run(['restore', damaged, ...restored]),
      1,
      /block 1, record \d+ was changed.*nothing was written/,
    )
    writeFileSync(damaged, 'no store')
    assertOneLine(await run(['restore', damaged, ...restored]), 1, /not a Cashpoint store/)
    assertOneLine(await run(['restore', `${damaged}.not`, ...restored]), 1, /there is no store at/)
    assert.ok(!existsSync(join(directory, 'restored.db')))
  })

  await t.test(
    'a store that lost its end, or a backup that was cut short, is copied when that is accepted',
    async () => {
      // The head of later: as if the file itself were the older one.
      copyFileSync(join(directory, 'cashpoint.head'), join(directory, 'backup.head'))
      const [newest = 0, committed = 0] = [backup, path].map((file) => blocksIn(file).at(-1)?.sequence)
      assert.equal(committed, newest + 1)
      const restored = ['--store', `sqlite:${join(directory, 'restored.db')}`]
      const says = new RegExp(
        `block ${newest} is the newest, but block ${committed} was committed.*--accept-lost-tail`,
      )
      assertOneLine(await run(['restore', backup, ...restored]), 1, says)
      assertOneLine(await run(['export', '--store', `sqlite:${backup}`]), 1, says)
      assert.equal((await run(['restore', backup, ...restored, '--accept-lost-tail'])).code, 0)
      assertProvesHere(join(directory, 'restored.db'))
    },
  )
})

describe('back to a moment', () => {
  test('a restore ends behind the block, or before what came after the instant', async (t) => {
    const { path, directory } = place(t)
    const server = await serve(t, { path })
    const client = new Client(server)
    for (let i = 0; i < 5; i += 1) {
      assert.equal((await client.deposit('A', 100))?.status, 200)
      await pause(15)
    }
    client.close()
    await server.stop()
    const blocks = blocksIn(path)
    const backup = join(directory, 'backup.db')
    assert.equal((await run(['backup', backup, '--store', `sqlite:${path}`])).code, 0)
    // What a new store begins with is in blocks before.
    const third = blocks.at(-3)
    assert.ok(third !== undefined)
    const instant = new Date(third.at).toISOString()
    for (const [i, args] of [
      ['--to', String(third.sequence)],
      ['--at', instant],
      ['--at', instant.replace('Z', '+00:00')],
    ].entries()) {
      const restored = join(directory, `back-${i}.db`)
      const { code, stdout } = await run(['restore', backup, ...args, '--store', `sqlite:${restored}`])
      assert.deepEqual([code, headSaid(stdout)], [0, third.hash], args.join(' '))
      assertProvesHere(restored)
      if (i > times(0, 2)) continue
      const again = await SqliteStore.open({ path: restored })
      const [outcome] = await again.commit([pending(deposit('A', '0.01'))])
      assert.equal(outcome && gist(outcome), 301, 'three deposits, and on from there')
      await again.close()
      assertProvesHere(restored)
    }
    const none = ['--store', `sqlite:${join(directory, 'none.db')}`]
    assertOneLine(
      await run(['restore', backup, '--to', '99', ...none]),
      1,
      new RegExp(`block ${blocks.length} is the last there is`),
    )
    const early = ['--at', '2001-01-01T00:00:00Z']
    assertOneLine(await run(['restore', backup, ...early, ...none]), 1, /there is no block to copy/)
    assert.ok(!readdirSync(directory).some((file) => file.startsWith('none')), 'nothing was written')
  })
})

describe('what is wrong with what was asked is one line and exit 2', { concurrency: 4 }, () => {
  for (const [args, says] of [
    [['backup'], /usage: cashpoint backup FILE/],
    [['backup', 'a', 'b'], /usage: cashpoint backup FILE/],
    [['backup', 'a', '--to', '1'], /--to/],
    [['export', 'a'], /usage: cashpoint export/],
    [['restore', 'a', '--to', '0'], /--to must be the number of a block/],
    [['restore', 'a', '--at', 'yesterday'], /--at must be an instant/],
    [['restore', 'a', '--at', '2026-11-24T10:00:00'], /--at must be an instant/],
    [['restore', 'a', '--at', '2026-11-24T10:00:00Z', '--to', '1'], /not both/],
    [['import', '/nowhere/x.jsonl'], /there is no file/],
    [['backup', 'a', '--store', 'temp'], /temporary store/],
  ] as const)
    test(args.join(' '), async () => assertOneLine(await run(args), 2, says))
})
