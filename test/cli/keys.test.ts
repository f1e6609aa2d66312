/** The server's file of keys: made, completed, read, and refused in one line that names what is wrong. */
import assert from 'node:assert/strict'
import {
  chmodSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { readKeys } from '../../src/cli/keys.ts'
import { SettingError } from '../../src/cli/settings.ts'

const [one, two, three] = ['1a'.repeat(32), '2b'.repeat(32), '3c'.repeat(32)]
const full = { webhooks: one, pan: two, pin: [one, two, three], wrap: three }

function place(t: TestContext): { directory: string; path: string } {
  const directory = mkdtempSync(join(tmpdir(), 'cashpoint-keys-'))
  t.after(() => rmSync(directory, { recursive: true }))
  return { directory, path: join(directory, 'keys.json') }
}

function write(path: string, content: unknown): string {
  const text = typeof content === 'string' ? content : JSON.stringify(content)
  writeFileSync(path, text, { mode: 0o600 })
  return text
}

function refuses(read: () => unknown, says: RegExp): void {
  assert.throws(read, (error) => {
    assert.ok(error instanceof SettingError)
    assert.match(error.message, says)
    assert.doesNotMatch(error.message, /\n|1a1a|2b2b|3c3c/)
    return true
  })
}

test('keys are made where there are none, for nobody else to read, and stay', (t) => {
  const { directory, path } = place(t)
  const deeper = join(directory, 'data', 'keys.json')
  const made = readKeys(deeper)
  assert.equal(statSync(deeper).mode & 0o777, 0o600)
  assert.deepEqual(readdirSync(join(directory, 'data')), ['keys.json'])
  const { webhooks, vault } = made
  const all = [webhooks, ...vault.pan, ...vault.pin, ...vault.wrap]
  assert.equal(new Set(all.map((key) => key.toString('hex'))).size, 4)
  assert.ok(all.every(({ length }) => length === 32))

  const text = readFileSync(deeper, 'utf8')
  for (const isOurs of [true, false]) assert.deepEqual(readKeys(deeper, { isOurs }), made)
  assert.equal(readFileSync(deeper, 'utf8'), text)
  assert.notDeepEqual(readKeys(path), made)
})

test('a ring has all versions of a key, oldest first', (t) => {
  const { path } = place(t)
  write(path, { ...full, pvk: { '1': '0123456789ABCDEFFEDCBA9876543210' } })
  const { webhooks, vault } = readKeys(path)
  const hex = (keys: readonly Buffer[]) => keys.map((key) => key.toString('hex'))
  assert.equal(webhooks.toString('hex'), one)
  assert.deepEqual([vault.pan, vault.pin, vault.wrap].map(hex), [[two], [one, two, three], [three]])
  assert.deepEqual(vault.pvk, { 1: Buffer.from('0123456789abcdeffedcba9876543210', 'hex') })
})

test('a file of an older release gets what it lacks, once, and keeps what it has', (t) => {
  const { directory, path } = place(t)
  write(path, { webhooks: one, pin: [one, two], ofSomebody: 'else' })
  const keys = readKeys(path, { isOurs: true })
  assert.equal(keys.webhooks.toString('hex'), one)
  assert.equal(keys.vault.pin.length, 2)
  assert.equal(statSync(path).mode & 0o777, 0o600)
  assert.deepEqual(readdirSync(directory), ['keys.json'])

  const { pan, wrap, ...rest } = JSON.parse(readFileSync(path, 'utf8'))
  assert.deepEqual(rest, { webhooks: one, pin: [one, two], ofSomebody: 'else' })
  assert.deepEqual([pan, wrap], [keys.vault.pan[0]?.toString('hex'), keys.vault.wrap[0]?.toString('hex')])
  assert.deepEqual(readKeys(path, { isOurs: true }), keys)
})

test('a file behind a link is completed where it is', (t) => {
  const { directory, path } = place(t)
  const target = join(directory, 'elsewhere.json')
  write(target, { webhooks: one })
  symlinkSync(target, path)
  const keys = readKeys(path, { isOurs: true })
  assert.ok(lstatSync(path).isSymbolicLink())
  assert.deepEqual(readKeys(target), keys)
})

test('a file that several nodes may have is not completed, since each would do it differently', (t) => {
  const { path } = place(t)
  const text = write(path, { webhooks: one, pan: two })
  refuses(() => readKeys(path), /must have "pin", "wrap" as well: add each as a key of 32 bytes/)
  assert.equal(readFileSync(path, 'utf8'), text)
})

test('what is no file of keys is refused, and nothing of it is told', (t) => {
  const { path } = place(t)
  const check = (content: unknown, says: RegExp) => {
    const text = write(path, content)
    for (const isOurs of [true, false]) refuses(() => readKeys(path, { isOurs }), says)
    assert.equal(readFileSync(path, 'utf8'), text)
  }
  for (const text of ['nonsense', '', `{"webhooks": "${one}",`, `{"webhooks": ${one}}`, 'null', '7', '"x"'])
    check(text, /is no file of keys/)
  for (const webhooks of [undefined, 'x', one.slice(2), `${one}00`, [one], 7, null])
    check({ ...full, webhooks }, /must have "webhooks": a key of 32 bytes in hexadecimal$/)
  for (const pin of ['x', one.slice(2), 7, null, {}]) check({ ...full, pin }, /must have "pin": a key of 32/)
  check({ webhooks: one, pan: 'x' }, /must have "pan"/)
  for (const pan of [[], [one, 'x'], [[one]], [null]])
    check({ ...full, pan }, /must have "pan": .*or a list of such, oldest first/)
  const pvk = one.slice(32)
  for (const bad of [{ 1: one }, { 1: 'x' }, { 10: pvk }, { x: pvk }, {}, [], null, pvk, { 1: pvk, 2: 7 }])
    check({ ...full, pvk: bad }, /must have "pvk" as keys of 16 bytes in hexadecimal by PVKI/)
})

test('a file that others may read is refused', { skip: process.platform === 'win32' }, (t) => {
  const { path } = place(t)
  write(path, full)
  for (const mode of [0o640, 0o604, 0o644]) {
    chmodSync(path, mode)
    refuses(() => readKeys(path), /has the server's keys and others may read it: chmod 600/)
  }
  chmodSync(path, 0o400)
  assert.ok(readKeys(path))
})
