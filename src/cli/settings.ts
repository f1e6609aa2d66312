/** Settings: from the environment, then from flags, which win. A bad one is one clear line and exit 2. */
import { isIP } from 'node:net'
import { parseArgs } from 'node:util'
import { decimalsOf } from '../ledger/money.ts'

export type Settings = {
  readonly port: number
  readonly host: string
  /** The store's file, or undefined for a temporary one that goes with the server. */
  readonly storePath: string | undefined
  readonly logLevel: string
  readonly lockDeadlineMs: number
  readonly keyRetentionMs: number
  /** Where business days begin at midnight: an IANA name. */
  readonly timeZone: string
  readonly currency: string
  readonly minFreeBytes: number
  readonly openAccess: boolean
  readonly acceptLostTail: boolean
}

/** Something the operator must change; its message is the one line that says what. */
export class SettingError extends Error {
  constructor(message: string) {
    super(message.replace(/\s*[\r\n]+\s*/g, ' '))
  }
}

const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']
const hourMs = 3_600_000
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
    help: 'sqlite:PATH, or temp for one that goes with the server',
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
  openAccess: {
    flag: 'open-access',
    variable: 'CASHPOINT_OPEN_ACCESS',
    fallback: '0',
    help: '1: listen beyond this machine although anybody may move money',
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
  const host = value(settings.host)
  const openAccess = flagOf(settings.openAccess, value)
  if (!isLoopback(host) && !openAccess)
    throw new SettingError(
      `HOST=${host} lets other machines in, and there are no credentials yet: anybody there could move money. ` +
        'Say CASHPOINT_OPEN_ACCESS=1 if that is what you want.',
    )
  return {
    port: wholeOf(settings.port, value, { min: 0, max: 65_535 }),
    host,
    storePath: storePathOf(value(settings.store)),
    logLevel: oneOf(settings.logLevel, value, logLevels),
    lockDeadlineMs: wholeOf(settings.lockDeadline, value, { min: 1, max: lockDeadlineMaxMs }),
    keyRetentionMs: wholeOf(settings.keyRetention, value, { min: 24, max: 24 * 3660 }) * hourMs,
    timeZone: timeZoneOf(value(settings.timeZone)),
    currency: currencyOf(value(settings.currency)),
    minFreeBytes: wholeOf(settings.minFree, value, { min: 0, max: 2 ** 30 }) * mebibyte,
    openAccess,
    acceptLostTail: flagOf(settings.acceptLostTail, value),
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

/** `--open-access` alone says `--open-access 1`. */
function withOnes(args: readonly string[]): string[] {
  const yesOrNo: readonly string[] = [`--${settings.openAccess.flag}`, `--${settings.acceptLostTail.flag}`]
  return args.flatMap((arg, i) =>
    yesOrNo.includes(arg) && (args[i + 1] ?? '--').startsWith('--') ? [arg, '1'] : [arg],
  )
}

function storePathOf(text: string): string | undefined {
  if (text === 'temp') return undefined
  const path = /^sqlite:(.+)$/.exec(text)?.[1]
  if (path === undefined) throw new SettingError(`CASHPOINT_STORE must be sqlite:PATH or temp, not ${text}`)
  return path
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
