/** The client as others get it: packed, unpacked beside a program of theirs, compiled and run. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { serve } from '../rest/support.ts'

const run = promisify(execFile)
const root = fileURLToPath(new URL('../../', import.meta.url))
const bin = (name: string) => join(root, 'node_modules', '.bin', name)

test('the example compiles against the package and runs with it', async (t) => {
  const place = mkdtempSync(join(tmpdir(), 'cashpoint-client-'))
  t.after(() => rmSync(place, { recursive: true, force: true }))
  const modules = join(place, 'node_modules')
  mkdirSync(join(modules, 'cashpoint'), { recursive: true })
  await run('npm', ['pack', '--pack-destination', place], { cwd: root })
  const tarball = readdirSync(place).find((file) => file.endsWith('.tgz'))
  assert.ok(tarball, 'npm packs it')
  await run('tar', ['-xzf', join(place, tarball), '-C', join(modules, 'cashpoint'), '--strip-components=1'])
  for (const name of ['typebox', '@types'])
    symlinkSync(join(root, 'node_modules', name), join(modules, name), 'junction')

  const client = join(modules, 'cashpoint', 'dist', 'client')
  const code = readdirSync(client)
    .filter((file) => file.endsWith('.js'))
    .map((file) => readFileSync(join(client, file), 'utf8'))
    .join('\n')
  for (const [, from = ''] of code.matchAll(/\bfrom ['"]([^'"]+)['"]/g))
    assert.match(from, /^\.\//, 'it needs nothing but itself')

  cpSync(join(root, 'docs', 'examples', 'client.ts'), join(place, 'client.ts'))
  writeFileSync(join(place, 'package.json'), '{"type": "module"}')
  const options = { strict: true, noEmit: true, module: 'nodenext', target: 'es2024', types: ['node'] }
  writeFileSync(
    join(place, 'tsconfig.json'),
    JSON.stringify({ compilerOptions: options, files: ['client.ts'] }),
  )
  await run(bin('tsc'), ['-p', place], { cwd: place }).catch(({ stdout }) => assert.fail(stdout))

  const { listening } = await serve(t)
  const { stdout } = await run(process.execPath, ['client.ts', listening.url], { cwd: place })
  assert.deepEqual(stdout.trim().split('\n'), [
    `paid in 100000 under ${/under (\S+)/.exec(stdout)?.[1]}`,
    'refused: Limit exceeded: daily_amount is 50000, of which 20000 are used and 30000 remain',
    'ledger 80000, available 80000',
    'cashpoint.hold.placed',
    'cashpoint.hold.posted',
    'cashpoint.transfer.posted',
  ])
})
