/** The tests of the interface over the PostgreSQL store, as they are: a few in the fast profile, all in the long one. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { describe, test } from 'node:test'
import { postgresMissing, sharedPostgres } from '../support/postgres.ts'
import { long } from '../support/profile.ts'

const few = ['idempotency', 'races', 'v1-limits', 'webhooks', 'withdrawals', 'cash']
// The others have stores of their own, or none.
const more = [
  'access',
  'atm-roles',
  'bad-input',
  'cards',
  'contract',
  'finding',
  'http',
  'original-routes',
  'overview',
  'session',
  'terminal-operations',
  'terminals',
  'v1-accounts',
  'v1-events',
  'v1-movements',
]
const fileMaxMs = 180_000

describe('the interface on postgres', { skip: postgresMissing, concurrency: 2 }, () => {
  for (const name of long ? [...few, ...more] : few)
    test(name, async () => {
      const file = new URL(`./${name}.test.ts`, import.meta.url).pathname
      const child = spawn(
        process.execPath,
        ['--import', './test/support/setup.ts', '--disable-warning=ExperimentalWarning', file],
        {
          stdio: ['ignore', 'pipe', 'ignore'],
          timeout: fileMaxMs,
          env: { ...childEnv(), ...(await sharedPostgres()), CASHPOINT_TEST_STORE: 'postgres' },
        },
      )
      const [output] = await Promise.all([child.stdout.setEncoding('utf8').toArray(), once(child, 'close')])
      const said = output.join('')
      const why = said.indexOf('failing tests:')
      assert.equal(child.exitCode, 0, said.slice(why < 0 ? -2_000 : why).slice(0, 4_000))
    })
})

/** Without what tells a process that it is one of a run of tests. */
function childEnv(): NodeJS.ProcessEnv {
  const { NODE_TEST_CONTEXT: _, ...env } = process.env
  return env
}
