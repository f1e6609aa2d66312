// The command line: what it says to help, to nonsense and to a port that is taken; and how it ends.

import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, test } from 'node:test'
import { readSettings } from '../../src/cli/settings.ts'
import { long } from '../support/profile.ts'
import { assertOneLine, assertProves, place, run, saysInOneLine, serve } from './support.ts'

test('--help lists the commands, and each command has its own', async () => {
  const [all, ...each] = await Promise.all([
    run(['--help']),
    run(['serve', '--help']),
    run(['verify', '--help']),
    run(['credentials', '--help']),
    run(['terminals', '--help']),
    run(['backup', '--help']),
    run(['restore', '--help']),
    run(['export', '--help']),
    run(['import', '--help']),
    run(['torture', '--help']),
    run(['conformance', '--help']),
    run(['describe', '--help']),
  ])
  assert.deepEqual({ code: all.code, stderr: all.stderr }, { code: 0, stderr: '' })
  assert.match(all.stdout, /^usage: cashpoint COMMAND/)
  for (const [i, name] of [
    'serve',
    'verify',
    'credentials',
    'terminals',
    'backup',
    'restore',
    'export',
    'import',
    'torture',
    'conformance',
    'describe',
  ].entries()) {
    assert.match(all.stdout, new RegExp(`^ +${name} `, 'm'))
    assert.match(each[i]?.stdout ?? '', new RegExp(`^usage: cashpoint ${name}`))
    assert.deepEqual({ code: each[i]?.code, stderr: each[i]?.stderr }, { code: 0, stderr: '' })
  }
})

describe('what is no command', { concurrency: 4 }, () => {
  for (const args of [[], ['sevre'], ['constructor'], ['--port', '0']])
    test(`cashpoint ${args.join(' ')}: usage, and exit 2`, async () => {
      const { code, stdout, stderr } = await run(args)
      assert.deepEqual({ code, stdout }, { code: 2, stdout: '' })
      assert.match(stderr, /^usage: cashpoint COMMAND/)
      assert.doesNotMatch(stderr, /^ +at /m)
    })
})

const bad: { args?: string[]; env?: Record<string, string>; says: RegExp }[] = [
  { args: ['--port', 'eighty'], says: /PORT must be a whole number/ },
  { args: ['--prot', '80'], says: /--prot/ },
  { args: ['--port'], says: /--port/ },
  { args: ['--store', 'mysql://x'], says: /CASHPOINT_STORE must be/ },
  { env: { CASHPOINT_LOCK_DEADLINE_MS: '0' }, says: /CASHPOINT_LOCK_DEADLINE_MS must be/ },
  { env: { CASHPOINT_LOG_LEVEL: 'loud' }, says: /CASHPOINT_LOG_LEVEL must be one of/ },
  { env: { CASHPOINT_OPEN_ACCESS: '1' }, says: /CASHPOINT_OPEN_ACCESS is gone/ },
]

describe('a bad setting is one line, and exit 2', { concurrency: 4 }, () => {
  for (const [i, { args = [], env = {}, says }] of bad.entries())
    test([...args, ...Object.entries(env).flat()].join(' '), async (t) => {
      const { path } = place(t)
      const most = { CASHPOINT_STORE: `sqlite:${path}`, PORT: '0', ...env }
      assert.throws(() => readSettings(args, most), saysInOneLine(says))
      // A flag, an unknown one and a variable; in the long profile all of them by the process as well.
      if (long || [0, 1, 4].includes(i)) assertOneLine(await run(['serve', ...args], most), 2, says)
    })
})

test('a port that is taken is one line and exit 1, and the store is let go', async (t) => {
  const { path } = place(t)
  const other = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => other.once('listening', resolve))
  t.after(() => void other.close())
  const { port } = other.address() as AddressInfo

  const { code, stdout, stderr } = await run(['serve', '--store', `sqlite:${path}`, '--port', String(port)])
  assert.deepEqual({ code, stdout }, { code: 1, stdout: '' })
  const lines = stderr
    .trimEnd()
    .split('\n')
    .filter((line) => !line.startsWith('{'))
  assert.deepEqual(lines.length, 1, stderr)
  assert.match(lines[0] ?? '', new RegExp(`^cashpoint: port ${port} is taken`))

  await assertProves(path)
  const server = await serve(t, { path })
  await server.stop()
})

test('only the IPv6 loopback is taken: that is said as well', async (t) => {
  const { path } = place(t)
  const other = createServer().listen({ host: '::1', port: 0 })
  const free = await new Promise((resolve) => {
    other.once('listening', () => resolve(true)).once('error', () => resolve(false))
  })
  if (!free) return t.skip('no IPv6 here')
  t.after(() => void other.close())
  const { port } = other.address() as AddressInfo
  const { code, stderr } = await run(['serve', '--store', `sqlite:${path}`, '--port', String(port)])
  assert.equal(code, 1)
  assert.match(stderr, new RegExp(`^cashpoint: port ${port} is taken`, 'm'))
})
