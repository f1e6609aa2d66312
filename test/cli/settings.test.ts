// Settings: the environment, then flags; whatever is wrong is one line that names what to change.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isLoopback, readSettings, SettingError, type Settings, settings } from '../../src/cli/settings.ts'

const defaults: Settings = {
  port: 5000,
  host: 'localhost',
  storePath: './data/cashpoint.db',
  databaseUrl: undefined,
  namedStatements: true,
  logLevel: 'info',
  lockDeadlineMs: 10_000,
  keyRetentionMs: 86_400_000,
  timeZone: 'UTC',
  currency: 'USD',
  minFreeBytes: 67_108_864,
  acceptLostTail: false,
  demo: true,
  tokens: undefined,
  rateLimit: 1_000,
  rateLimitAddress: 600,
  connectionsMax: 10_000,
  trustedProxies: [],
  adjustmentThreshold: 10_000,
  silentMs: 86_400_000,
  keysPath: undefined,
  webhookNetworks: [],
  iso8583: undefined,
}

// For every setting: the variable, the flag, a value, and what it makes.
const good: readonly (readonly [string, string, string, Partial<Settings>])[] = [
  ['PORT', '--port', '8080', { port: 8080 }],
  ['PORT', '--port', '0', { port: 0 }],
  ['PORT', '--port', '65535', { port: 65_535 }],
  ['HOST', '--host', '127.0.0.1', { host: '127.0.0.1' }],
  ['HOST', '--host', '127.1.2.3', { host: '127.1.2.3' }],
  ['HOST', '--host', '::1', { host: '::1' }],
  ['CASHPOINT_STORE', '--store', 'sqlite:/var/lib/bank.db', { storePath: '/var/lib/bank.db' }],
  ['CASHPOINT_STORE', '--store', 'sqlite:a: b', { storePath: 'a: b' }],
  ['CASHPOINT_STORE', '--store', 'temp', { storePath: undefined }],
  ...['postgres://u:p@h:5/d?sslmode=require', 'postgresql://h/d'].map(
    (url) => ['CASHPOINT_STORE', '--store', url, { storePath: undefined, databaseUrl: url }] as const,
  ),
  ['CASHPOINT_NAMED_STATEMENTS', '--named-statements', '0', { namedStatements: false }],
  ['CASHPOINT_LOG_LEVEL', '--log-level', 'silent', { logLevel: 'silent' }],
  ['CASHPOINT_LOG_LEVEL', '--log-level', 'trace', { logLevel: 'trace' }],
  ['CASHPOINT_LOCK_DEADLINE_MS', '--lock-deadline-ms', '250', { lockDeadlineMs: 250 }],
  ['CASHPOINT_TIME_ZONE', '--time-zone', 'Europe/Berlin', { timeZone: 'Europe/Berlin' }],
  ['CASHPOINT_KEY_RETENTION_HOURS', '--key-retention-hours', '48', { keyRetentionMs: 172_800_000 }],
  ['CASHPOINT_CURRENCY', '--currency', 'JPY', { currency: 'JPY' }],
  ['CASHPOINT_MIN_FREE_MIB', '--min-free-mib', '0', { minFreeBytes: 0 }],
  ['CASHPOINT_MIN_FREE_MIB', '--min-free-mib', '1', { minFreeBytes: 1_048_576 }],
  ['CASHPOINT_DEMO', '--demo', '0', { demo: false }],
  ['CASHPOINT_RATE_LIMIT', '--rate-limit', '0', { rateLimit: 0 }],
  ['CASHPOINT_MAX_CONNECTIONS', '--max-connections', '500', { connectionsMax: 500 }],
  ['CASHPOINT_RATE_LIMIT_ADDRESS', '--rate-limit-address', '60', { rateLimitAddress: 60 }],
  [
    'CASHPOINT_TRUST_PROXY',
    '--trust-proxy',
    '127.0.0.1, 10.0.0.0/8',
    { trustedProxies: ['127.0.0.1', '10.0.0.0/8'] },
  ],
  ['CASHPOINT_JWT_ROLE_CLAIM', '--jwt-role-claim', 'cashpoint_role', {}],
  ['CASHPOINT_SILENT_AFTER_MINUTES', '--silent-after-minutes', '30', { silentMs: 1_800_000 }],
  ['CASHPOINT_ADJUSTMENT_THRESHOLD', '--adjustment-threshold', '0', { adjustmentThreshold: 0 }],
  ['CASHPOINT_KEYS', '--keys', '/etc/cashpoint/keys.json', { keysPath: '/etc/cashpoint/keys.json' }],
  ['CASHPOINT_WEBHOOK_NETWORKS', '--webhook-networks', 'fd00::/8', { webhookNetworks: ['fd00::/8'] }],
  ['CASHPOINT_ISO8583', '--iso8583', 'off', { iso8583: [] }],
  ['CASHPOINT_ISO8583_PLAIN', '--iso8583-plain', '1', {}],
  ['CASHPOINT_ACCEPT_LOST_TAIL', '--accept-lost-tail', '1', { acceptLostTail: true }],
]

const bad: readonly (readonly [string, string, readonly string[]])[] = [
  [
    'CASHPOINT_ISO8583',
    '--iso8583',
    ['8583', 'localhost:8583', 'iso87a://0.0.0.0', 'iso87a://h?terminals=a', 'iso87a://localhost?x=1'],
  ],
  ['CASHPOINT_ISO8583_PLAIN', '--iso8583-plain', ['yes', '2']],
  [
    'PORT',
    '--port',
    ['65536', '-1', '80.5', '1e3', '0x50', 'http', ' 80', '80 ', '٨٠', '99999999999999999999'],
  ],
  [
    'CASHPOINT_STORE',
    '--store',
    ['bank.db', 'sqlite:', 'SQLITE:x', 'postgres:x', 'mysql://x', 'Temp', ':memory:'],
  ],
  ['CASHPOINT_LOG_LEVEL', '--log-level', ['verbose', 'INFO', '30', '__proto__', 'info,debug']],
  [
    'CASHPOINT_LOCK_DEADLINE_MS',
    '--lock-deadline-ms',
    ['0', '-5', '10s', '1.5', '3600001', 'Infinity', 'NaN'],
  ],
  ['CASHPOINT_KEY_RETENTION_HOURS', '--key-retention-hours', ['0', '23', '1d', '-24', '24.5', '999999']],
  ['CASHPOINT_TIME_ZONE', '--time-zone', ['Mars/Olympus', 'Europe', '+99:00', '__proto__']],
  ['CASHPOINT_CURRENCY', '--currency', ['usd', 'XXX', 'US', 'DOLLAR', '__proto__', 'constructor', 'USD,JPY']],
  ['CASHPOINT_MIN_FREE_MIB', '--min-free-mib', ['-1', '64MB', '0.5', '1e3', '99999999999']],
  ['HOST', '--host', ['local host', '-x', 'a/b', 'http://x']],
  ['CASHPOINT_NAMED_STATEMENTS', '--named-statements', ['2', 'no']],
  ['CASHPOINT_DEMO', '--demo', ['2', 'true', 'yes', '01', 'no']],
  ['CASHPOINT_RATE_LIMIT', '--rate-limit', ['-1', '10/s', '1e3']],
  ['CASHPOINT_MAX_CONNECTIONS', '--max-connections', ['9', 'none']],
  ['CASHPOINT_RATE_LIMIT_ADDRESS', '--rate-limit-address', ['-1', 'none']],
  ['CASHPOINT_TRUST_PROXY', '--trust-proxy', ['proxy', '10.0.0.0/33', '1.2.3', '10.0.0.0/8/8', '::1/129']],
  ['CASHPOINT_SILENT_AFTER_MINUTES', '--silent-after-minutes', ['0', '1.5', '525601', 'day']],
  ['CASHPOINT_ADJUSTMENT_THRESHOLD', '--adjustment-threshold', ['-1', '1.5', '9007199254740992']],
  ['CASHPOINT_WEBHOOK_NETWORKS', '--webhook-networks', ['localhost', '10.0.0.0/x']],
  ['CASHPOINT_ACCEPT_LOST_TAIL', '--accept-lost-tail', ['2', 'true']],
]

const beyondLoopback = [
  '0.0.0.0',
  '::',
  '192.168.1.5',
  'example.org',
  '127.example.org',
  '::ffff:10.0.0.1',
  '128.0.0.1',
]

/** That these settings are refused in one line that names the variable. */
function checkRefused(args: readonly string[], env: Record<string, string>, names: string): void {
  const what = JSON.stringify({ args, env })
  const error = errorOf(() => readSettings(args, env))
  assert.ok(error instanceof SettingError, `${what}: ${error}`)
  assert.ok(error.message.includes(names), `${what}: ${error.message}`)
  assert.doesNotMatch(error.message, /[\r\n]/, what)
}

function errorOf(read: () => Settings): unknown {
  try {
    return `read as ${JSON.stringify(read())}`
  } catch (error) {
    return error
  }
}

test('without any setting there are the defaults', () => {
  assert.deepEqual(readSettings([], {}), defaults)
  assert.deepEqual(readSettings([], { PATH: '/bin', port: '1', CASHPOINT_PORT: '2' }), defaults)
})

test('every setting is read from the environment and from a flag', () => {
  for (const [variable, flag, text, expected] of good) {
    const settings = { ...defaults, ...expected }
    assert.deepEqual(readSettings([], { [variable]: text }), settings, `${variable}=${text}`)
    assert.deepEqual(readSettings([flag, text], {}), settings, `${flag} ${text}`)
    assert.deepEqual(readSettings([`${flag}=${text}`], {}), settings, `${flag}=${text}`)
  }
})

test('every setting there is has been tried here', () => {
  // The three of an issuer only count together, and have a test of their own; a path may be anything.
  const together = ['CASHPOINT_JWT_ISSUER', 'CASHPOINT_JWT_AUDIENCE', 'CASHPOINT_JWT_JWKS']
  const names = Object.values(settings).filter(({ variable }) => !together.includes(variable))
  const tried = new Set(good.map(([variable, flag]) => `${variable} ${flag}`))
  const all = names.map(({ variable, flag }) => `${variable} --${flag}`)
  assert.deepEqual([...tried].sort(), all.sort())
  const anything = ['CASHPOINT_KEYS', 'CASHPOINT_JWT_ROLE_CLAIM']
  const refused = new Set([...bad.map(([variable]) => variable), ...anything])
  assert.deepEqual([...refused].sort(), names.map(({ variable }) => variable).sort())
})

test('flags win over the environment, and leave the rest of it alone', () => {
  const env = { PORT: '1111', CASHPOINT_CURRENCY: 'JPY' }
  assert.deepEqual(readSettings(['--port', '2222'], env), { ...defaults, port: 2222, currency: 'JPY' })
})

test('a good flag saves a bad variable', () => {
  for (const [variable, flag, text, expected] of good) {
    const wrong = bad.find(([name]) => name === variable)?.[2][0] ?? ''
    assert.deepEqual(readSettings([flag, text], { [variable]: wrong }), { ...defaults, ...expected })
  }
})

test('an empty variable is one that is not set', () => {
  const empty = Object.fromEntries(Object.values(settings).map(({ variable }) => [variable, '']))
  assert.deepEqual(readSettings([], empty), defaults)
})

test('a bad setting is one line that names the variable', () => {
  for (const [variable, flag, texts] of bad)
    for (const text of texts) {
      checkRefused([], { [variable]: text }, variable)
      checkRefused([`${flag}=${text}`], {}, variable)
      assert.ok(String(errorOf(() => readSettings([], { [variable]: text }))).endsWith(text), text)
    }
})

test('a flag that nobody knows is one line that names it', () => {
  checkRefused(['--ports', '1'], {}, '--ports')
  checkRefused(['--portx=1'], {}, '--portx')
  checkRefused(['-p', '1'], {}, '-p')
  checkRefused(['8080'], {}, '8080')
  checkRefused(['--port'], {}, '--port')
  checkRefused(['--no-port'], {}, '--no-port')
})

test('a bad setting with a line break, or a flag with a dash for a value, is one line too', () => {
  for (const [variable, flag] of bad) checkRefused([`${flag}=1\n2`], { [variable]: '3\r\n4' }, variable)
  checkRefused([], { HOST: '0.0.0.0\n1' }, 'HOST')
  checkRefused(['--port', '-1'], {}, '--port')
  checkRefused(['--po\nrt'], {}, '--po')
})

test('what listens beyond this machine is no loopback', () => {
  for (const host of beyondLoopback) {
    assert.deepEqual(readSettings([], { HOST: host }), { ...defaults, host })
    assert.ok(!isLoopback(host), host)
  }
  for (const host of ['localhost', '127.0.0.1', '127.255.255.254', '::1']) assert.ok(isLoopback(host), host)
})

test('the setting that let anybody in is not ignored', () => {
  checkRefused([], { CASHPOINT_OPEN_ACCESS: '1' }, 'npm run credentials')
})

test('the settings of an issuer go together, and its keys come over https', () => {
  const issuer = {
    CASHPOINT_JWT_ISSUER: 'https://id.example',
    CASHPOINT_JWT_AUDIENCE: 'cashpoint',
    CASHPOINT_JWT_JWKS: 'https://id.example/jwks',
  }
  const tokens = {
    issuer: 'https://id.example',
    audience: 'cashpoint',
    jwks: 'https://id.example/jwks',
    roleClaim: 'role',
  }
  assert.deepEqual(readSettings([], issuer), { ...defaults, tokens })
  const claim = { CASHPOINT_JWT_ROLE_CLAIM: 'r' }
  assert.deepEqual(readSettings([], { ...issuer, ...claim }).tokens, { ...tokens, roleClaim: 'r' })
  for (const name of Object.keys(issuer)) checkRefused([], { ...issuer, [name]: '' }, name)
  for (const jwks of ['http://id.example/jwks', 'file:///jwks', 'jwks', 'http://127.example/jwks'])
    checkRefused([], { ...issuer, CASHPOINT_JWT_JWKS: jwks }, 'CASHPOINT_JWT_JWKS')
  const local = { ...issuer, CASHPOINT_JWT_JWKS: 'http://127.0.0.1:1/jwks' }
  assert.equal(readSettings([], local).tokens?.jwks, 'http://127.0.0.1:1/jwks')
})

test('a flag of yes or no says yes by itself', () => {
  assert.deepEqual(readSettings(['--accept-lost-tail', '--port', '80'], {}), {
    ...defaults,
    port: 80,
    acceptLostTail: true,
  })
  assert.deepEqual(readSettings(['--demo', '--port', '80'], {}), { ...defaults, port: 80 })
})
