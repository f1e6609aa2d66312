// The launcher: which Node it takes, what it says to one that is too old, and how it hands over.

import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, test } from 'node:test'

const packaging = join(import.meta.dirname, '..', '..', 'packaging')
const temporary = mkdtempSync(join(tmpdir(), 'cashpoint-launch-'))
after(() => rmSync(temporary, { recursive: true, force: true }))

test('Node 24.15 is the oldest that will do', () => {
  const nodeVersion: { newEnough(version: string): boolean } = createRequire(import.meta.url)(
    join(packaging, 'node-version.cjs'),
  )
  const old = ['18.20.8', '20.20.2', '22.23.3', '24.9.0', '24.14.1']
  const fine = ['24.15.0', '24.100.0', '25.0.0', '26.10.0', '100.0.0']

  assert.deepEqual(old.filter(nodeVersion.newEnough), [])
  assert.deepEqual(fine.filter(nodeVersion.newEnough), fine)
})

test('too old a Node, with no other at hand, gets one clear line', () => {
  const { args } = project({ withNode: false })
  const { status, stdout, stderr } = spawnSync(process.execPath, args('20.20.2'), { encoding: 'utf8' })

  assert.match(stderr, /^Cashpoint needs Node 24\.15 or newer and this is Node 20\.20\.2: .*\n$/)
  assert.equal(stdout, '')
  assert.equal(status, 1)
})

test('too old a Node hands over to the installed one, arguments and exit code included', () => {
  const { args } = project({ withNode: true })
  const { status, stdout } = spawnSync(process.execPath, args('20.20.2', 'exit', '7'), { encoding: 'utf8' })

  assert.equal(stdout, 'exit 7\n')
  assert.equal(status, 7)
})

test('a Node that is new enough runs the program itself', () => {
  const { args } = project({ withNode: false })
  const { status, stdout, stderr } = spawnSync(process.execPath, args('24.15.0', 'exit', '0'), {
    encoding: 'utf8',
  })

  assert.deepEqual({ status, stdout, stderr }, { status: 0, stdout: 'exit 0\n', stderr: '' })
})

for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
  test(`${signal} reaches the program it handed over to, which decides how to end`, async () => {
    const { args } = project({ withNode: true })
    const launcher = spawn(process.execPath, args('20.20.2', 'wait'), {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    await once(launcher.stdout, 'data')
    launcher.kill(signal)

    assert.deepEqual(await once(launcher, 'exit'), [3, null])
  })
}

/** A copy of packaging/ beside a small program, run by a Node that says it has another version. */
function project({ withNode }: { withNode: boolean }) {
  const root = mkdtempSync(join(temporary, 'project-'))
  cpSync(packaging, join(root, 'packaging'), { recursive: true })
  write(join(root, 'package.json'), '{ "type": "module" }')
  write(join(root, 'src', 'main.ts'), program)
  write(join(root, 'pretend.cjs'), pretend)
  if (withNode) {
    write(join(root, 'node_modules', 'node', 'package.json'), '{ "version": "24.15.0" }')
    const name = process.platform === 'win32' ? 'node.exe' : 'node'
    mkdirSync(join(root, 'node_modules', 'node', 'bin'))
    symlinkSync(process.execPath, join(root, 'node_modules', 'node', 'bin', name))
  }
  const launcher = join(root, 'packaging', 'launch.cjs')
  const args = (version: string, ...rest: readonly string[]) => [
    ...['--require', join(root, 'pretend.cjs'), launcher, ...rest],
    `--pretend=${version}`,
  ]
  return { args }
}

const pretend = `
const version = process.argv.pop().split('=')[1]
Object.defineProperty(process, 'versions', { value: { ...process.versions, node: version } })
`

const program = `
const [what, code]: string[] = process.argv.slice(2)
if (what === 'exit') {
  console.log('exit', code)
  process.exitCode = Number(code)
} else {
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.once(signal, () => process.exit(3))
  setInterval(() => {}, 1000)
  console.log('waiting')
}
`

function write(path: string, text: string) {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
}
