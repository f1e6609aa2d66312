/** How a URL leads to a server, as libpq reads it: on real servers with TLS, without it, and with none that writes. */
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { connect, cut, messageOf, poolOf, reader } from '../../src/stores/postgres/connect.ts'
import { Hosts, readDatabaseUrl } from '../../src/stores/postgres/hosts.ts'
import { PostgresStore } from '../../src/stores/postgres/store.ts'
import { type PostgresServer, postgres, postgresMissing, startPostgres } from '../support/postgres.ts'

const urlsOf = (text: string, env = {}) =>
  readDatabaseUrl(text, env).servers.map((ways) => ways.map(({ url }) => url))
const plain = 'sslmode=disable'
const tls = 'uselibpqcompat=true&sslmode=prefer'

describe('a URL', () => {
  test('names one host or more, over sockets too', () => {
    const cases: [string, string[][]][] = [
      ['postgres://u@h/d', [[`postgres://u@h/d?${tls}`, `postgres://u@h/d?${plain}`]]],
      ['postgresql://h?sslmode=disable', [[`postgres://h?${plain}`]]],
      [
        'postgres://u:p%40@a:1,b,[::1]:3/d?sslmode=disable&application_name=x',
        ['a:1', 'b', '[::1]:3'].map((host) => [`postgres://u:p%40@${host}/d?application_name=x&${plain}`]),
      ],
      ['postgres:///d?host=/run/p', [[`postgres:///d?${plain}&host=%2Frun%2Fp`]]],
      ['postgres:///d?host=/run/p&port=7', [[`postgres:///d?${plain}&host=%2Frun%2Fp&port=7`]]],
      [
        'postgres:///d?host=a,b&port=1,2&sslmode=disable',
        [[`postgres://a:1/d?${plain}`], [`postgres://b:2/d?${plain}`]],
      ],
      [
        'postgres:///d?host=a,b&port=1&sslmode=disable',
        [[`postgres://a:1/d?${plain}`], [`postgres://b:1/d?${plain}`]],
      ],
    ]
    for (const [text, urls] of cases) assert.deepEqual(urlsOf(text), urls, text)
  })

  test('asks for TLS as libpq does, by itself or by PGSSLMODE', () => {
    const h = 'postgres://h/d'
    assert.deepEqual(urlsOf(h, { PGSSLMODE: 'require' }), [[`${h}?uselibpqcompat=true&sslmode=require`]])
    assert.deepEqual(urlsOf(`${h}?sslmode=allow`), [[`${h}?${plain}`, `${h}?${tls}`]])
    assert.deepEqual(urlsOf(`${h}?sslmode=verify-full&sslrootcert=system`), [
      [`${h}?uselibpqcompat=true&sslmode=verify-full`],
    ])
  })

  test('needs a server that writes where it names several, or says so', () => {
    const needs = (text: string) => readDatabaseUrl(text, {}).needsWrites
    assert.deepEqual(
      ['postgres://a/d', 'postgres://a,b/d', 'postgres://a,b/d?target_session_attrs=any'].map(needs),
      [false, true, false],
    )
    assert.equal(needs('postgres://a/d?target_session_attrs=primary'), true)
    assert.equal(readDatabaseUrl('postgres://u:secret@a:1,b/d?x=y', {}).name, 'postgres://a:1,b/d')
  })

  test('that is none is refused, and never told with its password', () => {
    const refused: [string, RegExp][] = [
      ['postgres://u:secret@h:99999/d', /^it must be postgres:/],
      ['postgres://u:secret@h:x/d', /^it must be postgres:/],
      ['postgres://u:secret@a b/d', /^it must be postgres:/],
      ['postgres://u:secret@h/d?sslmode=yes', /^sslmode must be one of disable, allow/],
      ['postgres://u:secret@h/d?sslmode=verify-ca', /needs sslrootcert/],
      ['postgres://u:secret@h/d?target_session_attrs=standby', /must be one of any, read-write, primary/],
    ]
    for (const [text, says] of refused)
      assert.throws(
        () => readDatabaseUrl(text, {}),
        ({ message }: Error) => says.test(message) && !message.includes('secret'),
        text,
      )
  })

  test('leads to the next server where one is no good, and without TLS only where TLS was turned down', () => {
    const hosts = new Hosts(readDatabaseUrl('postgres://a,b/d', {}))
    const at = () => /\/\/(.*)\/d\?.*sslmode=(.*)/.exec(hosts.best.url)?.slice(1).join(' ')
    const path = [at()]
    for (const wasTurnedDown of [true, false, false, false, false, true, true]) {
      hosts.failed(hosts.best, wasTurnedDown)
      path.push(at())
    }
    assert.deepEqual(path, [
      ...['a prefer', 'a disable', 'b prefer', 'a disable', 'b prefer', 'a disable', 'b prefer', 'b disable'],
    ])
    const old = hosts.best
    hosts.failed(old, false)
    hosts.failed(old, false)
    assert.equal(at(), 'a prefer', 'what is known already is not said twice')
  })
})

/** What a connection for commits and one for reads say of themselves. */
async function askBoth(url: string, text: string): Promise<unknown[]> {
  const client = await connect({ url })
  const pool = poolOf({ url }, 1)
  try {
    const [read = {}] = await reader(pool, { url, named: false })({ name: '', text }, [])
    const written = await client.query(text)
    return [written.rows[0], read].map((row) => Object.values(row)[0])
  } finally {
    cut(client)
    await pool.end()
  }
}

const noOpenssl = spawnSync('openssl', ['version']).status !== 0 && 'there is no openssl on this machine'

describe('TLS', { skip: postgresMissing || noOpenssl }, async () => {
  if (postgresMissing || noOpenssl) return
  const folder = mkdtempSync(join(tmpdir(), 'cashpoint-tls-'))
  after(() => rmSync(folder, { recursive: true, force: true }))
  const file = (name: string) => join(folder, name)
  const text = (name: string) => readFileSync(file(name), 'utf8')
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2']
  const openssl = (...args: string[]) => execFileSync('openssl', args, { stdio: 'pipe' })
  for (const name of ['ca', 'other'])
    openssl(
      'req',
      '-x509',
      ...newKey,
      '-subj',
      `/CN=${name}`,
      '-keyout',
      file(`${name}.key`),
      '-out',
      file(`${name}.crt`),
    )
  openssl(
    'req',
    ...newKey,
    '-subj',
    '/CN=localhost',
    '-keyout',
    file('server.key'),
    '-out',
    file('server.csr'),
  )
  writeFileSync(file('san'), 'subjectAltName=DNS:localhost')
  openssl(
    ...['x509', '-req', '-days', '2', '-in', file('server.csr'), '-out', file('server.crt')],
    ...['-CA', file('ca.crt'), '-CAkey', file('ca.key'), '-CAcreateserial', '-extfile', file('san')],
  )
  const files = { 'server.crt': text('server.crt'), 'server.key': text('server.key') }
  const server = await startPostgres({ settings: ['ssl=on'], files })
  const strict = await startPostgres({
    settings: ['ssl=on'],
    files: { ...files, 'pg_hba.conf': 'hostssl all all 127.0.0.1/32 trust\n' },
  })
  const used = (of: PostgresServer, query: string, host = '127.0.0.1') =>
    askBoth(
      `${of.url.replace('127.0.0.1', host)}?${query}`,
      'select ssl from pg_stat_ssl where pid = pg_backend_pid()',
    )
  const fails = (of: PostgresServer, query: string, says: RegExp, host?: string) =>
    assert.rejects(used(of, query, host), (error) => says.test(messageOf(error)), query)

  test('is used where the server has it, and not where the mode says so', async () => {
    assert.deepEqual(await used(server, ''), [true, true])
    assert.deepEqual(await used(server, 'sslmode=require'), [true, true])
    assert.deepEqual(await used(server, 'sslmode=disable'), [false, false])
    assert.deepEqual(await used(server, 'sslmode=allow'), [false, false])
    assert.deepEqual(await used(strict, 'sslmode=allow'), [true, true])
    await fails(strict, 'sslmode=disable', /no pg_hba.conf entry/)
  })

  test('without TLS a server is used by those who only prefer it', async () => {
    const bare = await postgres()
    assert.deepEqual(await used(bare, ''), [false, false])
    await fails(bare, 'sslmode=require', /does not support SSL/)
  })

  test('the certificate and the name in it are checked as the mode says', async () => {
    const [right, wrong] = [`sslrootcert=${file('ca.crt')}`, `sslrootcert=${file('other.crt')}`]
    assert.deepEqual(await used(server, `sslmode=verify-ca&${right}`), [true, true])
    await fails(server, `sslmode=verify-ca&${wrong}`, /certificate/)
    assert.deepEqual(await used(server, `sslmode=verify-full&${right}`, 'localhost'), [true, true])
    await fails(server, `sslmode=verify-full&${right}`, /IP: 127.0.0.1 is not in the cert/)
    await fails(server, 'sslmode=verify-full', /certificate/, 'localhost')
    await assert.rejects(
      PostgresStore.open({ url: `${server.url}?sslmode=verify-ca&${wrong}` }),
      /postgres:\/\/127.0.0.1:\d+\/postgres cannot be used: .*certificate/,
    )
  })
})

describe('several hosts', { skip: postgresMissing }, () => {
  test('a server that is away and one that takes no writes are passed over, for reads as well', async () => {
    const writes = await postgres()
    const standby = await startPostgres({ settings: ['default_transaction_read_only=on'] })
    const portOf = ({ url }: PostgresServer) => new URL(url).port
    const here = (server: PostgresServer) => `127.0.0.1:${portOf(server)}`
    const hosts = `postgres://cashpoint@127.0.0.1:1,${here(standby)},${here(writes)}/postgres`
    const port = 'select inet_server_port()'
    assert.deepEqual(await askBoth(hosts, port), [portOf(writes), portOf(writes)].map(Number))
    const any = `${hosts}?target_session_attrs=any`
    assert.deepEqual(await askBoth(any, port), [portOf(standby), portOf(standby)].map(Number))
    await assert.rejects(
      connect({ url: `postgres://cashpoint@127.0.0.1:1,${here(standby)}/postgres` }),
      /takes no writes|ECONNREFUSED/,
    )
  })
})
