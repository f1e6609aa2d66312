/** What is logged gets to its file, in its order, whatever ends the process. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, mock, test } from 'node:test'
import fc from 'fast-check'
import { pino } from 'pino'
import { requestLog } from '../../src/telemetry/log.ts'
import { seed } from '../support/chance.ts'

const directory = mkdtempSync(join(tmpdir(), 'cashpoint-log-'))
after(() => rmSync(directory, { recursive: true, force: true }))
const module = new URL('../../src/telemetry/log.ts', import.meta.url).href
let count = 0

/** The numbers that were logged by a process with such code. */
function loggedBy(code: string): number[] {
  count += 1
  const path = join(directory, `${count}.log`)
  const whole = `const { openLog } = await import('${module}')
    const log = openLog('info', 2)
    ${code}`
  const args = ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', whole]
  const file = openSync(path, 'w')
  spawnSync(process.execPath, args, { stdio: ['ignore', 'ignore', file] })
  closeSync(file)
  const lines = readFileSync(path, 'utf8').split('\n')
  return lines.flatMap((line) => (line.startsWith('{') ? [(JSON.parse(line) as { n: number }).n] : []))
}

const some = 'for (let n = 0; n < 1_000; n += 1) log.info({ n })'
const all = Array.from({ length: 1_000 }, (_, n) => n)

for (const [what, code] of Object.entries({
  'nothing is left to do': some,
  'it is ended in the same turn': `${some}; process.exit(0)`,
  'an error is not caught': `${some}; throw new Error('x')`,
  'it ends when what was logged is written': `${some}; log.flush(() => process.exit(0)); setTimeout(() => {}, 60_000)`,
  'turns come between': `for (let n = 0; n < 1_000; n += 1) {
    log.info({ n })
    if (n % 100 === 0) await new Promise((resolve) => setTimeout(resolve, n % 3))
  }`,
}))
  test(`all of it where ${what}`, () => assert.deepEqual(loggedBy(code), all))

test('only from its level on', () => {
  assert.deepEqual(loggedBy('log.debug({ n: 1 }); log.warn({ n: 2 })'), [2])
})

test(`a request is logged to the letter as the library would (SEED=${seed})`, (t) => {
  mock.timers.enable({ apis: ['Date'], now: 1_700_000_000_000 })
  t.after(() => mock.timers.reset())
  const lines: string[] = []
  const log = pino({ level: 'info' }, { write: (line: string) => void lines.push(line) })
  const logRequest = requestLog(log)
  const text = fc.oneof(fc.string(), fc.string({ unit: 'grapheme', maxLength: 200 }))
  const request = fc.record({
    id: fc.stringMatching(/^[A-Za-z0-9._-]{1,64}$/),
    method: fc.constantFrom('GET', 'POST', 'M-SEARCH'),
    path: text,
    actor: fc.oneof(fc.constant(''), text),
    status: fc.integer({ min: 100, max: 599 }),
    ms: fc.double({ min: 0, max: 100_000, noNaN: true }),
    pause: fc.nat(2),
  })
  fc.assert(
    fc.property(request, ({ pause, ...line }) => {
      mock.timers.tick(pause)
      const { id, method, path, actor, status, ms } = line
      log.info({ id, method, path, ...(actor && { actor }), status, ms: Math.round(ms * 100) / 100 })
      logRequest(line)
      const [wanted, got] = lines.splice(0)
      assert.equal(got, wanted)
    }),
    { seed, numRuns: 500 },
  )
})

test('a request is logged from the level of information on', () => {
  const lines: string[] = []
  const log = pino({ level: 'warn' }, { write: (line: string) => void lines.push(line) })
  const logRequest = requestLog(log)
  const line = { id: 'a', method: 'GET', path: '/', actor: '', status: 200, ms: 1 }
  logRequest(line)
  assert.equal(lines.length, 0)
  log.level = 'debug'
  logRequest(line)
  assert.equal(lines.length, 1)
})
