/** How the pages are served: what they weigh, what their policy says, and who does not see them. */
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { type Server, serve } from '../process/support.ts'

const directory = mkdtempSync(join(tmpdir(), 'cashpoint-pages-'))
after(() => rmSync(directory, { recursive: true, force: true }))
const demo = await serve({ after }, { path: join(directory, 'demo.db') })
const closed = await serve({ after }, { path: join(directory, 'closed.db'), env: { CASHPOINT_DEMO: '0' } })

type Got = {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
}

/** As it comes over the wire: nothing is followed and nothing unpacked. */
function get(
  server: Server,
  path: string,
  headers: Record<string, string> = {},
  method = 'GET',
): Promise<Got> {
  return new Promise((resolve, reject) => {
    request(server.url + path, { method, headers }, (response) => {
      const parts: Buffer[] = []
      response.on('data', (part) => parts.push(part))
      response.on('end', () => {
        const status = response.statusCode ?? 0
        resolve({ status, headers: response.headers as Record<string, string>, body: Buffer.concat(parts) })
      })
    })
      .on('error', reject)
      .end()
  })
}

const greeting =
  '{"message":"Cashpoint ATM API","status":"running","endpoints":{"get_balance":"GET /accounts/{account_number}/balance",' +
  '"withdraw":"POST /accounts/{account_number}/withdraw","deposit":"POST /accounts/{account_number}/deposit",' +
  '"list_accounts":"GET /accounts"}}'
const browser = 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8'

test('browsers that ask for / are led to the cash machine', async () => {
  for (const accept of [browser, 'text/html', 'application/json, TEXT/HTML;q=0.5']) {
    const { status, headers } = await get(demo, '/', { accept })
    assert.equal(status, 302, accept)
    assert.equal(headers['location'], '/atm')
    assert.equal(headers['vary'], 'Origin, Accept')
  }
})

test('everybody else has the JSON there always was, to the byte', async () => {
  const accepts: Record<string, string>[] = [
    {},
    { accept: '*/*' },
    { accept: 'application/json' },
    { accept: 'text/*' },
    { accept: 'text/html;q=0, */*' },
    { accept: 'text/htmlx' },
  ]
  for (const headers of accepts) {
    const got = await get(demo, '/', headers)
    assert.equal(got.status, 200, headers['accept'])
    assert.equal(got.body.toString(), greeting)
    assert.equal(got.headers['content-type'], 'application/json; charset=utf-8')
    assert.doesNotMatch(got.headers['vary'] ?? '', /Accept/)
  }
})

test('outside demo mode there is no cash machine, for browsers neither', async () => {
  for (const path of ['/atm', '/web/console/web/atm/main.ts', '/web/console/web/atm/atm.html']) {
    const { status, headers } = await get(closed, path)
    assert.equal(status, 404, path)
    assert.match(headers['content-type'] ?? '', /^application\/problem\+json/)
  }
  const root = await get(closed, '/', { accept: browser })
  assert.deepEqual([root.status, root.body.toString()], [200, greeting])
})

test('the first credential ends it while the server runs', async (t) => {
  const server = await serve(t, { path: join(directory, 'ending.db') })
  assert.equal((await get(server, '/atm')).status, 200)
  const made = await fetch(`${server.url}/v1/credentials`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'idempotency-key': 'k' },
    body: '{"role":"admin","name":"ada"}',
  })
  assert.equal(made.status, 201, await made.text())
  assert.equal((await get(server, '/atm')).status, 404)
  assert.equal((await get(server, '/', { accept: browser })).status, 200)
})

test('the console is there in demo mode and outside it, at its address and at all below', async () => {
  for (const server of [demo, closed])
    for (const path of ['/console', '/console/', '/console/terminals/ATM00001', '/console/login?to=x']) {
      const { status, headers, body } = await get(server, path)
      assert.equal(status, 200, path)
      assert.equal(headers['content-type'], 'text/html; charset=utf-8')
      assert.match(body.toString(), /<title>Cashpoint · Console<\/title>/)
    }
  for (const path of ['/web/console/web/console/main.ts', '/vendor/preact/hooks.js', '/vendor/uplot.css'])
    assert.equal((await get(closed, path)).status, 200, path)
  assert.equal((await get(closed, '/consoles')).status, 404)
  const posted = await get(closed, '/console/terminals', {}, 'POST')
  assert.deepEqual([posted.status, posted.headers['allow']], [405, 'GET, HEAD'])
})

test('the files of a page are not counted as requests: dozens of them are one visit', async (t) => {
  const env = { CASHPOINT_DEMO: '0', CASHPOINT_RATE_LIMIT_ADDRESS: '5' }
  const server = await serve(t, { path: join(directory, 'counted.db'), env })
  for (let i = 0; i < 20; i += 1) assert.equal((await get(server, '/web/console/web/icon.svg')).status, 200)
  const asked = await Promise.all(Array.from({ length: 6 }, () => get(server, '/')))
  assert.equal(asked.filter(({ status }) => status === 429).length, 1)
})

for (const path of ['/atm', '/console'])
  test(`a strict policy at ${path}: all from this server, nothing inline, in no frame`, async () => {
    const { headers, body } = await get(demo, path)
    const policy = headers['content-security-policy'] ?? ''
    for (const part of [
      "default-src 'self'",
      "frame-ancestors 'none'",
      "base-uri 'none'",
      "object-src 'none'",
    ])
      assert(policy.includes(part), part)
    assert.doesNotMatch(policy, /unsafe|http|\*/)
    assert.equal(headers['x-frame-options'], 'DENY')
    assert.equal(headers['x-content-type-options'], 'nosniff')
    assert.equal(headers['referrer-policy'], 'no-referrer')
    const page = body.toString()
    assert.doesNotMatch(page, /<style|\sstyle=|\son[a-z]+=|<script(?![^>]*\ssrc=)/i)
    assert.doesNotMatch(page, /(src|href)="(https?:)?\/\//)
  })

test('modules come without types and comments, each line where it was written', async () => {
  const { body } = await get(demo, '/web/console/web/console/router.ts')
  const written = readFileSync(
    join(import.meta.dirname, '../../src/console/web/console/router.ts'),
    'utf8',
  ).split('\n')
  const sent = body.toString().split('\n')
  assert.equal(sent.length, written.length)
  assert.doesNotMatch(body.toString(), /Readonly|: string|^export type|\/\*\*/m)
  const line = written.findIndex((text) => text.includes('scrollRestoration'))
  assert.equal(sent[line], written[line]?.trimStart())
})

/** The files that a document names, and what it weighs with them, gzipped. None of them needs one that is not named. */
async function namedAt(address: string): Promise<{ paths: ReadonlySet<string>; weight: number }> {
  const gzip = { 'accept-encoding': 'gzip, br' }
  const page = await get(demo, address, gzip)
  const named = [
    ...gunzipSync(page.body)
      .toString()
      .matchAll(/(?:href|src)="(\/[^"]+)"/g),
  ]
  const paths = new Set(named.map(([, path = '']) => path))
  let weight = page.body.length
  for (const path of paths) {
    const { status, headers, body } = await get(demo, path, gzip)
    assert.equal(status, 200, path)
    assert.equal(headers['content-encoding'], 'gzip', path)
    weight += body.length
    const code = gunzipSync(body).toString()
    for (const [, name = ''] of code.matchAll(/^(?:import|export)\b[^'"]*?\bfrom\s*'([^']+)'/gm))
      assert(
        paths.has(new URL(name, `http://x${path}`).pathname),
        `${path} imports ${name}, which is not named`,
      )
  }
  return { paths, weight }
}

test('the whole machine weighs at most 60 KiB gzipped, and no module of it is asked for late', async () => {
  const { paths, weight } = await namedAt('/atm')
  assert(weight <= 60 * 1024, `${weight} bytes`)
  assert(paths.size > 15)
})

test('at each address the console names the modules of the page that is there', async () => {
  const pages = {
    '/console': 'overview',
    '/console/terminals/ATM00001?view=x': 'terminal',
    '/console/terminals/ATM00001/withdrawals/w/': 'withdrawal',
    '/console/exceptions': 'exceptions',
    '/console/journal': 'journal',
  }
  const table = await get(demo, '/web/console/web/console/pages.ts')
  const all = [...table.body.toString().matchAll(/import\('\.\/pages\/([^']+)\.ts'\)/g)].map(
    ([, name]) => name,
  )
  for (const [address, page] of Object.entries(pages)) {
    const { paths } = await namedAt(address)
    const named = [...paths].map((path) => /\/pages\/([^/]+)\.ts$/.exec(path)?.[1])
    assert.deepEqual(
      all.filter((name) => named.includes(name)),
      [page],
      address,
    )
  }
  const { paths } = await namedAt('/console/nothing')
  assert(paths.size > 30 && ![...paths].some((path) => path.includes('/pages/')))
})

test('what has not changed is not sent again', async () => {
  const first = await get(demo, '/atm', { 'accept-encoding': 'identity' })
  const etag = first.headers['etag'] ?? ''
  assert.equal(first.headers['content-encoding'], undefined)
  const again = await get(demo, '/atm', { 'if-none-match': `"other", ${etag}` })
  assert.deepEqual([again.status, again.body.length, again.headers['etag']], [304, 0, etag])
  assert.equal((await get(demo, '/atm', { 'if-none-match': '"other"' })).status, 200)
})

test('files are had once for each version of them, and whoever names none is told to ask again', async () => {
  const page = await get(demo, '/console')
  assert.equal(page.headers['cache-control'], 'no-cache')
  const main = /src="([^"]+main\.ts)"/.exec(page.body.toString())?.[1] ?? ''
  const [, version = ''] = /^\/web\/(@[\w-]+)\/console\/web\/console\/main\.ts$/.exec(main) ?? []
  assert.notEqual(version, '')
  const named = await get(demo, main)
  assert.match(named.headers['cache-control'] ?? '', /immutable/)
  assert.match(named.body.toString(), new RegExp(`'/vendor/${version}/preact\\.js'`))
  for (const path of [main.replace(`${version}/`, ''), main.replace(version, '@other')]) {
    const other = await get(demo, path)
    assert.deepEqual([other.status, other.headers['cache-control']], [200, 'no-cache'], path)
    assert.deepEqual(other.body, named.body)
  }
  assert.equal((await get(closed, `/web/${version}/console/web/atm/main.ts`)).status, 404)
})

test('there is nothing to be had beside the files of the pages', async () => {
  for (const path of [
    '/web/',
    '/web/main.ts',
    '/web/console/routes.ts',
    '/web/..%2f..%2fpackage.json',
    '/vendor/pg.js',
    '/web/@x/@x/console/web/icon.svg',
  ])
    assert.equal((await get(demo, path)).status, 404, path)
  const posted = await get(demo, '/atm', {}, 'POST')
  assert.equal(posted.status, 405)
  assert.match(posted.headers['allow'] ?? '', /GET, HEAD/)
  assert.equal((await get(demo, '/atm', { host: 'bank.example' })).status, 403)
})
