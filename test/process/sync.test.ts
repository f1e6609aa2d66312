// A 200 leaves only after the commit is on disk. kill -9 cannot tell, since the system keeps what was written: so
// the order of the system calls is looked at.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { Client, place, serve } from './support.ts'

const withdrawals = 40

test('between what a commit writes and the answer to it, the journal is synced', async (t) => {
  if (spawnSync('strace', ['-V']).status !== 0) return t.skip('strace is not installed')
  const { directory, path } = place(t)
  const trace = join(directory, 'trace')
  const calls = 'trace=pwrite64,fsync,fdatasync,write,writev,sendmsg'
  const under = [
    'strace',
    '-D',
    '-f',
    '-y',
    '-qq',
    '--seccomp-bpf',
    '-e',
    calls,
    '-e',
    'signal=none',
    '-o',
    trace,
  ]
  const server = await serve(t, { path, under })
  const client = new Client(server)
  for (let i = 0; i < withdrawals; i += 1) assert.equal((await client.withdraw('123456789', 1))?.status, 200)
  client.close()
  await server.stop()

  const { answers, early } = judge(readFileSync(trace, 'utf8'))
  assert.deepEqual({ answers, early }, { answers: withdrawals, early: [] })
})

/** Counts the answers in a trace, and gives those that were sent while the journal had writes that were not synced. */
function judge(trace: string): { answers: number; early: number[] } {
  let written = 0
  let synced = 0
  let answeredAt = 0
  let answers = 0
  const early: number[] = []
  const syncing = new Map<string, number>()
  for (const line of trace.split('\n')) {
    const [thread = '', call = ''] = line.split(/ +(.*)/, 2)
    if (/^pwrite64\(\d+<[^>]*\.db-wal>/.test(call) && !call.includes('-index.db')) written += 1
    if (/^f(data)?sync\(\d+<[^>]*cashpoint\.db-wal>/.test(call)) syncing.set(thread, written)
    if (/sync.*\) += 0$/.test(call) && syncing.has(thread)) {
      synced = syncing.get(thread) ?? 0
      syncing.delete(thread)
    }
    if (/^(write|writev|sendmsg)\(\d+<(TCP|socket).*HTTP\/1\.1 200 OK/.test(call)) {
      if (synced < written || written === answeredAt) early.push(answers)
      answers += 1
      answeredAt = written
    }
  }
  return { answers, early }
}
