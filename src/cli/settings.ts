/** Settings: from the environment, then from flags, which win. A bad one is one clear line and exit 2. */
import { isIP } from 'node:net'
import { parseArgs } from 'node:util'
import type { TokenSettings } from '../access/tokens.ts'
import { type Address, readAddresses } from '../iso8583/address.ts'
import { decimalsOf, minorMax } from '../ledger/money.ts'
import { readDatabaseUrl } from '../stores/postgres/hosts.ts'

export type Settings = {
  readonly port: number
  readonly host: string
  /** The store's file; undefined for a temporary one that goes with the server, and for a database. */
  readonly storePath: string | undefined
  /** The database, where the store is one. */
  readonly databaseUrl: string | undefined
  /** Whether statements are prepared under names, which a pooler that exchanges connections does not know. */
  readonly namedStatements: boolean
  readonly logLevel: string
  readonly lockDeadlineMs: number
  readonly keyRetentionMs: number
  /** Where business days begin at midnight: an IANA name. */
  readonly timeZone: string
  readonly currency: string
  readonly minFreeBytes: number
  readonly acceptLostTail: boolean
  /** Whether the demo mode may be on while there is no credential; it also wants a loopback to listen on. */
  readonly demo: boolean
  /** Of the issuer whose tokens are taken, if there is one. */
  readonly tokens: TokenSettings | undefined
  /** Requests a second of one credential, and a minute of one address that shows none; 0 is no limit. */
  readonly rateLimit: number
  readonly rateLimitAddress: number
  /** Connections open at once; beyond it the one longest without a request gives way. */
  readonly connectionsMax: number
  /** Addresses and networks of proxies, whose word is taken for where a request came from. */
  readonly trustedProxies: readonly string[]
  /** An adjustment above it needs a second person. Minor units. */
  readonly adjustmentThreshold: number
  /** A machine that was not heard of for so long is told to the operator as silent. */
  readonly silentMs: number
  /** The file of the server's keys; undefined for one beside the store. */
  readonly keysPath: string | undefined
  /** Networks that webhooks may lead to although they are not public. */
  readonly webhookNetworks: readonly string[]
  /** Where ISO 8583 is listened to; undefined for the demo's own, while there is a demo. */
  readonly iso8583: readonly Address[] | undefined
}

/** Something the operator must change; its message is the one line that says what. */
export class SettingError extends Error {
  constructor(message: string) {
    super(message.replace(/\s*[\r\n]+\s*/g, ' '))
  }
}

const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']
const minuteMs = 60_000
const hourMs = 60 * minuteMs
// Below the time after which a silent socket is cut, or 423 would find nobody.
const lockDeadlineMaxMs = 25_000
const mebibyte = 2 ** 20

type Setting = {
  readonly flag: string
  readonly variable: string
  readonly fallback: string
  readonly help: string
}

/** Every setting there is: what `--help` prints and what is read. */
export const settings = {
  port: { flag: 'port', variable: 'PORT', fallback: '5000', help: 'TCP port' },
  host: { flag: 'host', variable: 'HOST', fallback: 'localhost', help: 'address to listen on' },
  store: {
    flag: 'store',
    variable: 'CASHPOINT_STORE',
    fallback: 'sqlite:./data/cashpoint.db',
    help: 'sqlite:PATH, postgres://USER@HOST/DATABASE, or temp for one that goes with the server',
  },
  namedStatements: {
    flag: 'named-statements',
    variable: 'CASHPOINT_NAMED_STATEMENTS',
    fallback: '1',
    help: '0: behind a pooler in transaction mode that knows no prepared statements',
  },
  logLevel: {
    flag: 'log-level',
    variable: 'CASHPOINT_LOG_LEVEL',
    fallback: 'info',
    help: logLevels.join(' | '),
  },
  lockDeadline: {
    flag: 'lock-deadline-ms',
    variable: 'CASHPOINT_LOCK_DEADLINE_MS',
    fallback: '10000',
    help: 'how long a command may wait for its account',
  },
  keyRetention: {
    flag: 'key-retention-hours',
    variable: 'CASHPOINT_KEY_RETENTION_HOURS',
    fallback: '24',
    help: 'how long an Idempotency-Key is remembered, at least 24',
  },
  timeZone: {
    flag: 'time-zone',
    variable: 'CASHPOINT_TIME_ZONE',
    fallback: 'UTC',
    help: 'where business days begin at midnight, such as Europe/Berlin',
  },
  currency: {
    flag: 'currency',
    variable: 'CASHPOINT_CURRENCY',
    fallback: 'USD',
    help: 'ISO 4217 code of accounts that a deposit opens',
  },
  minFree: {
    flag: 'min-free-mib',
    variable: 'CASHPOINT_MIN_FREE_MIB',
    fallback: '64',
    help: 'free disk space below which writes stop',
  },
  demo: {
    flag: 'demo',
    variable: 'CASHPOINT_DEMO',
    fallback: '1',
    help: '0: nobody may ask without a credential, on this machine neither',
  },
  rateLimit: {
    flag: 'rate-limit',
    variable: 'CASHPOINT_RATE_LIMIT',
    fallback: '1000',
    help: 'requests a second of one credential; 0 for no limit',
  },
  rateLimitAddress: {
    flag: 'rate-limit-address',
    variable: 'CASHPOINT_RATE_LIMIT_ADDRESS',
    fallback: '600',
    help: 'requests a minute of one address without a credential; 0 for no limit',
  },
  maxConnections: {
    flag: 'max-connections',
    variable: 'CASHPOINT_MAX_CONNECTIONS',
    fallback: '10000',
    help: 'connections open at once; the one longest without a request gives way',
  },
  trustProxy: {
    flag: 'trust-proxy',
    variable: 'CASHPOINT_TRUST_PROXY',
    fallback: '',
    help: 'proxies whose X-Forwarded-For counts: addresses or networks, such as 127.0.0.1,10.0.0.0/8',
  },
  jwtIssuer: {
    flag: 'jwt-issuer',
    variable: 'CASHPOINT_JWT_ISSUER',
    fallback: '',
    help: 'whose tokens are taken beside API keys: the claim iss',
  },
  jwtAudience: {
    flag: 'jwt-audience',
    variable: 'CASHPOINT_JWT_AUDIENCE',
    fallback: '',
    help: 'whom those tokens must be for: the claim aud',
  },
  jwtJwks: {
    flag: 'jwt-jwks',
    variable: 'CASHPOINT_JWT_JWKS',
    fallback: '',
    help: 'where that issuer publishes its keys: https://…',
  },
  jwtRoleClaim: {
    flag: 'jwt-role-claim',
    variable: 'CASHPOINT_JWT_ROLE_CLAIM',
    fallback: 'role',
    help: 'the claim that names the role',
  },
  adjustmentThreshold: {
    flag: 'adjustment-threshold',
    variable: 'CASHPOINT_ADJUSTMENT_THRESHOLD',
    fallback: '10000',
    help: 'minor units above which an adjustment needs a second person',
  },
  silentAfter: {
    flag: 'silent-after-minutes',
    variable: 'CASHPOINT_SILENT_AFTER_MINUTES',
    fallback: '1440',
    help: 'a machine that was not heard of for so long needs a person',
  },
  keys: {
    flag: 'keys',
    variable: 'CASHPOINT_KEYS',
    fallback: '',
    help: 'file of the server’s keys, made at the first start; keys.json beside a store’s file if left out; on PostgreSQL the same for all nodes, and without it no webhooks',
  },
  webhookNetworks: {
    flag: 'webhook-networks',
    variable: 'CASHPOINT_WEBHOOK_NETWORKS',
    fallback: '',
    help: 'networks that webhooks may lead to although they are private, such as 10.0.0.0/8,127.0.0.1',
  },
  iso8583: {
    flag: 'iso8583',
    variable: 'CASHPOINT_ISO8583',
    fallback: '',
    help: 'where machines that speak ISO 8583 connect, such as iso87a://localhost:8583?terminals=ATM*, or off; localhost:8583 in demo mode if left out',
  },
  iso8583Plain: {
    flag: 'iso8583-plain',
    variable: 'CASHPOINT_ISO8583_PLAIN',
    fallback: '0',
    help: '1: ISO 8583 in clear beyond this machine, as on a line of its own',
  },
  acceptLostTail: {
    flag: 'accept-lost-tail',
    variable: 'CASHPOINT_ACCEPT_LOST_TAIL',
    fallback: '0',
    help: '1: start although the last commits are known to be lost',
  },
} as const satisfies Record<string, Setting>

export function readSettings(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Settings {
  const value = valuesFrom(args, env)
  if (env['CASHPOINT_OPEN_ACCESS'] === '1')
    throw new SettingError(
      'CASHPOINT_OPEN_ACCESS is gone: beyond this machine nobody may ask without a credential. ' +
        'Make one with: npm run credentials -- create --role admin --name YOU',
    )
  return {
    port: wholeOf(settings.port, value, { min: 0, max: 65_535 }),
    host: hostOf(value(settings.host)),
    ...storeOf(value(settings.store)),
    namedStatements: flagOf(settings.namedStatements, value),
    logLevel: oneOf(settings.logLevel, value, logLevels),
    lockDeadlineMs: wholeOf(settings.lockDeadline, value, { min: 1, max: lockDeadlineMaxMs }),
    keyRetentionMs: wholeOf(settings.keyRetention, value, { min: 24, max: 24 * 3660 }) * hourMs,
    timeZone: timeZoneOf(value(settings.timeZone)),
    currency: currencyOf(value(settings.currency)),
    minFreeBytes: wholeOf(settings.minFree, value, { min: 0, max: 2 ** 30 }) * mebibyte,
    acceptLostTail: flagOf(settings.acceptLostTail, value),
    demo: flagOf(settings.demo, value),
    tokens: tokensOf(value),
    rateLimit: wholeOf(settings.rateLimit, value, { min: 0, max: 1_000_000 }),
    rateLimitAddress: wholeOf(settings.rateLimitAddress, value, { min: 0, max: 1_000_000 }),
    connectionsMax: wholeOf(settings.maxConnections, value, { min: 10, max: 1_000_000 }),
    trustedProxies: networksOf(settings.trustProxy, value),
    adjustmentThreshold: wholeOf(settings.adjustmentThreshold, value, { min: 0, max: minorMax }),
    silentMs: wholeOf(settings.silentAfter, value, { min: 1, max: 525_600 }) * minuteMs,
    keysPath: value(settings.keys) || undefined,
    webhookNetworks: networksOf(settings.webhookNetworks, value),
    iso8583: addressesOf(value),
  }
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))
}

type Value = (setting: Setting) => string

function valuesFrom(args: readonly string[], env: Readonly<Record<string, string | undefined>>): Value {
  const options = Object.fromEntries(
    Object.values(settings).map(({ flag }) => [flag, { type: 'string' as const }]),
  )
  let flags: Record<string, string | undefined>
  try {
    flags = parseArgs({ args: withOnes(args), options, strict: true }).values as typeof flags
  } catch (error) {
    throw new SettingError(error instanceof Error ? error.message : String(error))
  }
  // An empty variable is how shells and hosts unset one.
  return ({ flag, variable, fallback }) => flags[flag] ?? (env[variable] || fallback)
}

/** `--accept-lost-tail` alone says `--accept-lost-tail 1`. */
function withOnes(args: readonly string[]): string[] {
  const yesOrNo: readonly string[] = [
    `--${settings.demo.flag}`,
    `--${settings.acceptLostTail.flag}`,
    `--${settings.iso8583Plain.flag}`,
  ]
  return args.flatMap((arg, i) =>
    yesOrNo.includes(arg) && (args[i + 1] ?? '--').startsWith('--') ? [arg, '1'] : [arg],
  )
}

function storeOf(text: string): Pick<Settings, 'storePath' | 'databaseUrl'> {
  if (text === 'temp') return { storePath: undefined, databaseUrl: undefined }
  const storePath = /^sqlite:(.+)$/.exec(text)?.[1]
  if (storePath !== undefined) return { storePath, databaseUrl: undefined }
  if (/^postgres(ql)?:\/\//.test(text)) {
    try {
      readDatabaseUrl(text)
    } catch (error) {
      throw new SettingError(`CASHPOINT_STORE cannot be used: ${(error as Error).message}`)
    }
    return { storePath: undefined, databaseUrl: text }
  }
  // What has an @ may have a password before it.
  const given = text.includes('@') ? '' : `, not ${text}`
  throw new SettingError(`CASHPOINT_STORE must be sqlite:PATH, postgres://USER@HOST/DATABASE or temp${given}`)
}

/** The store's file, for what only a file can do. Throws a SettingError where there is none, saying what to do. */
export function fileOf(
  { storePath, databaseUrl }: Settings,
  what: { temp: string; database: string },
): string {
  if (storePath !== undefined) return storePath
  throw new SettingError(databaseUrl === undefined ? what.temp : what.database)
}

function wholeOf(setting: Setting, value: Value, { min, max }: { min: number; max: number }): number {
  const text = value(setting)
  const number = Number(text)
  if (!/^[0-9]+$/.test(text) || number < min || number > max)
    throw new SettingError(`${setting.variable} must be a whole number from ${min} to ${max}, not ${text}`)
  return number
}

function oneOf(setting: Setting, value: Value, allowed: readonly string[]): string {
  const text = value(setting)
  if (!allowed.includes(text))
    throw new SettingError(`${setting.variable} must be one of ${allowed.join(', ')}, not ${text}`)
  return text
}

function flagOf(setting: Setting, value: Value): boolean {
  return oneOf(setting, value, ['0', '1']) === '1'
}

/** A name that resolves, or an address; what is neither would be found out only when listening. */
function hostOf(host: string): string {
  if (isIP(host) === 0 && !/^[A-Za-z0-9]([A-Za-z0-9._-]{0,253})$/.test(host))
    throw new SettingError(`HOST must be an address or a name to listen on, not ${host}`)
  return host
}

/** Addresses and networks with commas between them, each as it was given. */
function networksOf(setting: Setting, value: Value): readonly string[] {
  const networks = value(setting)
    .split(',')
    .map((each) => each.trim())
    .filter((each) => each !== '')
  const wrong = networks.find((network) => !isNetwork(network))
  if (wrong !== undefined)
    throw new SettingError(
      `${setting.variable} must be addresses or networks such as 127.0.0.1,10.0.0.0/8, not ${wrong}`,
    )
  return networks
}

function isNetwork(text: string): boolean {
  const [address = '', prefix, ...rest] = text.split('/')
  const version = isIP(address)
  if (version === 0 || rest.length > 0) return false
  return prefix === undefined || (/^[0-9]{1,3}$/.test(prefix) && Number(prefix) <= (version === 4 ? 32 : 128))
}

function tokensOf(value: Value): TokenSettings | undefined {
  const [issuer, audience, jwks] = [settings.jwtIssuer, settings.jwtAudience, settings.jwtJwks].map(value)
  if (!issuer && !audience && !jwks) return undefined
  if (!issuer || !audience || !jwks)
    throw new SettingError(
      'CASHPOINT_JWT_ISSUER, CASHPOINT_JWT_AUDIENCE and CASHPOINT_JWT_JWKS must be set together: one is missing',
    )
  const url = URL.parse(jwks)
  const isSafe = url?.protocol === 'https:' || (url?.protocol === 'http:' && isLoopback(url.hostname))
  if (!isSafe)
    throw new SettingError(
      `CASHPOINT_JWT_JWKS must be an https URL, or an http one of this machine, not ${jwks}`,
    )
  const roleClaim = value(settings.jwtRoleClaim)
  return { issuer, audience, jwks, roleClaim }
}

function addressesOf(value: Value): readonly Address[] | undefined {
  const text = value(settings.iso8583)
  const plain = flagOf(settings.iso8583Plain, value)
  if (text === '') return undefined
  if (text === 'off') return []
  const { variable } = settings.iso8583
  let addresses: readonly Address[]
  try {
    addresses = readAddresses(text)
  } catch (error) {
    throw new SettingError(`${variable} ${(error as Error).message}: it is ${text}`)
  }
  const open = addresses.find(({ host, tls }) => tls === undefined && !isLoopback(host))
  if (open !== undefined && !plain)
    throw new SettingError(
      `${variable} names ${open.host}, which is beyond this machine: that wants cert, key and ca, or CASHPOINT_ISO8583_PLAIN=1: it is ${text}`,
    )
  return addresses
}

function timeZoneOf(name: string): string {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone
  } catch {
    throw new SettingError(`CASHPOINT_TIME_ZONE must be a zone such as UTC or Europe/Berlin, not ${name}`)
  }
}

function currencyOf(code: string): string {
  if (decimalsOf(code) === undefined)
    throw new SettingError(`CASHPOINT_CURRENCY must be an ISO 4217 code such as USD, not ${code}`)
  return code
}
