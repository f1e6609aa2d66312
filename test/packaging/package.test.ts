/** What others import, as they get it: packed, unpacked beside a program of theirs, compiled and run. */
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
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { serve } from '../rest/support.ts'

const run = promisify(execFile)
const root = fileURLToPath(new URL('../../', import.meta.url))
const bin = (name: string) => join(root, 'node_modules', '.bin', name)

const place = mkdtempSync(join(tmpdir(), 'cashpoint-package-'))
const modules = join(place, 'node_modules')

before(async () => {
  mkdirSync(join(modules, 'cashpoint'), { recursive: true })
  await run('npm', ['pack', '--pack-destination', place], { cwd: root })
  const tarball = readdirSync(place).find((file) => file.endsWith('.tgz'))
  assert.ok(tarball, 'npm packs it')
  await run('tar', ['-xzf', join(place, tarball), '-C', join(modules, 'cashpoint'), '--strip-components=1'])
  for (const name of ['typebox', '@types'])
    symlinkSync(join(root, 'node_modules', name), join(modules, name), 'junction')
  writeFileSync(join(place, 'package.json'), '{"type": "module"}')
})
after(() => rmSync(place, { recursive: true, force: true }))

/** Compiles an example against the package and runs it; what it prints, line by line. */
async function runExample(name: string, ...args: string[]): Promise<string[]> {
  const file = `${name}.ts`
  cpSync(join(root, 'docs', 'examples', file), join(place, file))
  const options = { strict: true, noEmit: true, module: 'nodenext', target: 'es2024', types: ['node'] }
  writeFileSync(join(place, 'tsconfig.json'), JSON.stringify({ compilerOptions: options, files: [file] }))
  await run(bin('tsc'), ['-p', place], { cwd: place }).catch(({ stdout }) => assert.fail(stdout))
  const { stdout } = await run(process.execPath, [file, ...args], { cwd: place })
  return stdout.trim().split('\n')
}

function assertNeedsNothing(folder: string): void {
  const files = readdirSync(folder).filter((file) => file.endsWith('.js'))
  assert.ok(files.length > 0)
  const code = files.map((file) => readFileSync(join(folder, file), 'utf8')).join('\n')
  for (const [, from = ''] of code.matchAll(/\bfrom ['"]([^'"]+)['"]/g))
    assert.match(from, /^\.\//, 'it needs nothing but itself')
}

test('the client’s example compiles against the package and runs with it', async (t) => {
  assertNeedsNothing(join(modules, 'cashpoint', 'dist', 'client'))
  const { listening } = await serve(t)
  const lines = await runExample('client', listening.url)
  assert.deepEqual(lines, [
    `paid in 100000 under ${/under (\S+)/.exec(lines[0] ?? '')?.[1]}`,
    'refused: Limit exceeded: daily_amount is 50000, of which 20000 are used and 30000 remain',
    'ledger 80000, available 80000',
    'cashpoint.hold.placed',
    'cashpoint.hold.posted',
    'cashpoint.transfer.posted',
  ])
})

test('the codec’s example compiles against the package and runs with it', async () => {
  assertNeedsNothing(join(modules, 'cashpoint', 'dist', 'iso8583', 'message'))
  assert.deepEqual(await runExample('iso8583'), [
    '0800822000000080000004000000000000001123010000000001ATM00001001',
    'answered 00',
    '0810  1987, network management request response',
    '   7  transmission date and time  1123010000',
    '  11  system trace audit number   000001',
    '  39  response code               00',
    '  41  terminal                    ATM00001',
    '  70  network management code     001',
    'cut_short in 7: field 7 (transmission date and time), offset 36: the message ends inside it',
  ])
})
