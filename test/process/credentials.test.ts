// `cashpoint credentials` and what a server makes of it: the way in to a store that is put on a network.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { credentials } from '../../src/cli/credentials.ts'
import { long } from '../support/profile.ts'
import { assertOneLine, assertProvesHere, launch, place, run, saysInOneLine, serve } from './support.ts'

const byProcess = new Set(['create', '', 'revoke 1-1', 'create --rule admin'])
const key = /cp_[0-9A-Za-z]{48}/

test('a credential is made, lets in, is listed and revoked', async (t) => {
  const { path } = place(t)
  const store = ['--store', `sqlite:${path}`]
  const made = await run(['credentials', 'create', '--role', 'teller', '--name', 'Ann of till 7', ...store])
  assert.deepEqual({ code: made.code, stderr: made.stderr }, { code: 0, stderr: '' })
  const [text = ''] = key.exec(made.stdout) ?? []
  assert.notEqual(text, '')

  const server = await serve(t, { path })
  const ask = (headers: Record<string, string>) =>
    fetch(`${server.url}/accounts`, { headers }).then(({ status }) => status)
  assert.equal(await ask({}), 401, 'a store with a credential has no demo mode')
  assert.equal(await ask({ authorization: `Bearer ${text}` }), 200)
  assertOneLine(await run(['credentials', 'list', ...store]), 1, /POST \/v1\/credentials/)
  await server.stop()

  const listed = await run(['credentials', 'list', ...store])
  assert.match(listed.stdout, /^(1-\d+) +teller +[0-9a-f]{16} {2}in use {2}Ann of till 7\n$/)
  assert.doesNotMatch(listed.stdout, key)
  const [id = ''] = listed.stdout.split(' ')
  const revoked = await run(['credentials', 'revoke', id, ...store])
  assert.equal(revoked.stdout, `Credential ${id} is revoked.\n`)
  assert.match((await run(['credentials', 'list', ...store])).stdout, / {2}revoked \d{4}-/)

  const again = await serve(t, { path })
  const answer = await fetch(`${again.url}/accounts`, { headers: { authorization: `Bearer ${text}` } })
  assert.equal(answer.status, 401)
  await again.stop()
  assertProvesHere(path)
})

describe('what is wrong is one line and exit 2', { concurrency: 4 }, () => {
  for (const { args, says } of [
    { args: ['create'], says: /--role must be one of terminal, teller, operator, auditor, admin/ },
    { args: ['create', '--role', 'root', '--name', 'x'], says: /--role must be one of/ },
    { args: ['create', '--role', 'admin'], says: /--name must say whose/ },
    { args: ['create', '--role', 'admin', '--name', 'a\nb'], says: /--name must say whose/ },
    { args: ['create', '--role', 'terminal', '--name', 'Ann'], says: /id of the terminal/ },
    { args: ['make'], says: /say credentials create/ },
    { args: [], says: /say credentials create/ },
    { args: ['revoke'], says: /say credentials create/ },
    { args: ['revoke', '1-1'], says: /there is no credential 1-1/ },
    { args: ['create', '--rule', 'admin'], says: /--rule/ },
  ])
    test(`credentials ${args.join(' ')}`, async (t) => {
      const { path } = place(t)
      await assert.rejects(credentials([...args, '--store', `sqlite:${path}`]), saysInOneLine(says))
      // One of each verb, and an unknown flag; in the long profile all of them by the process as well.
      if (!long && !byProcess.has(args.join(' '))) return
      assertOneLine(await run(['credentials', ...args], { CASHPOINT_STORE: `sqlite:${path}` }), 2, says)
    })

  test('a temporary store', async () => {
    const args = ['credentials', 'list', '--store', 'temp']
    assertOneLine(await run(args), 2, /temporary store/)
  })
})

test('beyond this machine a server without credentials lets nobody in, and says how to', async (t) => {
  const { child } = launch(t, { ...place(t), env: { HOST: '0.0.0.0' } })
  let banner = ''
  for await (const text of child.stdout.setEncoding('utf8')) {
    banner += text
    if (banner.includes('--role admin')) break
  }
  assert.match(banner, /no credential yet/)
  assert.match(banner, /npm run credentials -- create --role admin/)
  const port = /http:\/\/0\.0\.0\.0:(\d+)/.exec(banner)?.[1]
  assert.equal((await fetch(`http://127.0.0.1:${port}/accounts`)).status, 401)
})
