// What a newcomer does: clone, `npm start`, `npm test`, with the machine's own Node and npm. The clone is made
// of the work tree's files as git sees them, so that it also shows a file somebody forgot to leave un-ignored.

import assert from 'node:assert/strict'
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { after, describe, test } from 'node:test'
import { long } from '../support/profile.ts'

const checkout = join(import.meta.dirname, '..', '..')
const clone = mkdtempSync(join(tmpdir(), 'cashpoint-clone-'))
const env = machineEnvironment()
const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm'
// Two installs, from npm's cache where it has them; a first one may have to fetch a whole Node.
const timeout = 5 * 60_000

after(() => rmSync(clone, { recursive: true, force: true }))

describe('a fresh clone', { skip: cannotBeTried(), timeout }, () => {
  test('npm start brings what running needs, serves, and stops at SIGTERM', { timeout }, async (t) => {
    const port = await freePort()
    const server = spawn(npm, ['start'], { cwd: clone, env: { ...env, PORT: String(port) }, detached: true })
    t.after(() => killGroup(server))
    const url = await printedUrl(server, port)

    assert.equal((await fetch(url)).status, 200)
    server.kill('SIGTERM')
    assert.deepEqual(await once(server, 'exit'), [0, null])
    assert.ok(installed('fastify'))
    assert.ok(!installed('typescript'), 'npm start leaves out what only tests and checks need')
  })

  // As long again as all of the first: the long profile's.
  const skip = !long && 'the long profile installs twice'
  test('npm test then adds the rest, and npm start has nothing more to install', { skip, timeout }, () => {
    assert.match(run('pretest'), /Installing Cashpoint's packages \(.*tests and checks.*\)/)
    assert.ok(installed('typescript'))

    assert.doesNotMatch(run('pretest'), /Installing/)
    assert.doesNotMatch(run('prestart'), /Installing/)
    assert.ok(installed('typescript'))
  })
})

function cannotBeTried(): string | false {
  const listed = spawnSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: checkout,
    encoding: 'utf8',
  })
  if (listed.status !== 0) return 'this is not a git checkout'

  for (const file of listed.stdout.split('\0').filter((file) => existsSync(join(checkout, file)) && file)) {
    mkdirSync(dirname(join(clone, file)), { recursive: true })
    copyFileSync(join(checkout, file), join(clone, file))
  }
  const reached = spawnSync(npm, ['view', 'node', 'version', '--fetch-retries=0'], {
    cwd: clone,
    env,
    timeout,
  })
  return reached.status === 0 ? false : 'the package registry cannot be reached'
}

/** The environment as it was before npm ran this: without our own Node, and what npm says to its scripts. */
function machineEnvironment(): NodeJS.ProcessEnv {
  const ours = join(checkout, 'node_modules', '.bin')
  const path = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== ours)
  const told = /^(npm_(?!config_)|npm_config_(local_)?prefix$|NODE_TEST_CONTEXT$|NODE_ENV$|HOST$|PORT$)/
  const kept = Object.entries(process.env).filter(([name]) => !told.test(name))
  return { ...Object.fromEntries(kept), PATH: path.join(delimiter), npm_config_prefer_offline: 'true' }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0)
  await once(server, 'listening')
  const address = server.address()
  server.close()
  assert(address !== null && typeof address === 'object')
  return address.port
}

/** The first URL the server prints, once it does; an end before that shows everything it said. */
async function printedUrl(server: ChildProcess, port: number): Promise<string> {
  let output = ''
  return new Promise((resolve, reject) => {
    const onData = (data: Buffer) => {
      output += data
      const url = output.match(new RegExp(`http://[^\\s"/]+:${port}`))?.[0]
      if (url !== undefined) resolve(url.replace('0.0.0.0', '127.0.0.1'))
    }
    server.stdout?.on('data', onData)
    server.stderr?.on('data', onData)
    server.on('exit', (code) => reject(new Error(`npm start ended with exit code ${code}:\n${output}`)))
  })
}

/** Ends npm and whatever it still runs: a failed test leaves no server behind. */
function killGroup({ pid }: ChildProcess) {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL')
  } catch {
    // It has ended, as it should.
  }
}

function run(script: string): string {
  const { status, stdout, stderr } = spawnSync(npm, ['run', script], { cwd: clone, env, encoding: 'utf8' })
  assert.equal(status, 0, `npm run ${script}:\n${stdout}${stderr}`)
  return stdout
}

function installed(name: string): boolean {
  return existsSync(join(clone, 'node_modules', name, 'package.json'))
}
