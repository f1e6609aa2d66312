/** `cashpoint serve`: puts the parts together. The only place that sees all of them. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import pino, { type Logger } from 'pino'
import { Access } from '../access/access.ts'
import { Tokens } from '../access/tokens.ts'
import { Bank } from '../bank/bank.ts'
import { systemClock } from '../bank/clock.ts'
import { StoreError } from '../bank/store.ts'
import { type Listening, listen } from '../rest/listen.ts'
import { createServer } from '../rest/server.ts'
import { SqliteStore } from '../stores/sqlite/store.ts'
import { Metrics } from '../telemetry/metrics.ts'
import { Deliverer } from '../webhooks/deliverer.ts'
import { Sealer } from '../webhooks/signature.ts'
import { readKeys } from './keys.ts'
import {
  isLoopback,
  readSettings,
  SettingError,
  type Settings,
  settings as settingTable,
} from './settings.ts'

/** The accounts a new store begins with, in minor units. */
const openingAccounts = [
  { number: '123456789', currency: 'USD', ledger: 100_000 },
  { number: '987654321', currency: 'USD', ledger: 250_000 },
  { number: '555555555', currency: 'USD', ledger: 50_000 },
]

/** What sysexits(3) calls an internal software error: the store's thread died, and a supervisor should start us again. */
const exitSoftware = 70

// Beyond the lock deadline, by when all that was accepted has been answered.
const drainSlackMs = 5_000
const sameSignalMs = 250

export async function serve(args: readonly string[]): Promise<void> {
  if (args.includes('--help')) return console.log(help())
  const settings = readSettings(args, process.env)
  // Logs go to stderr as JSON, so that stdout is for people.
  const log = pino({ level: settings.logLevel }, pino.destination({ dest: 2, sync: false }))
  const server = await start(settings, log)

  let stoppingSince: number | undefined
  const onSignal = (signal: NodeJS.Signals) => {
    const now = systemClock.monotonicMs()
    if (stoppingSince !== undefined) {
      // Ctrl-C under npm arrives twice, from the terminal and from npm: that is one.
      if (now - stoppingSince > sameSignalMs) process.exit(1)
      return
    }
    stoppingSince = now
    log.info({ signal }, 'stopping')
    server.stop().then(
      () => log.flush(() => process.exit(0)),
      (error) => {
        log.fatal({ err: error }, 'could not stop in order')
        log.flush(() => process.exit(1))
      },
    )
  }
  process.on('SIGTERM', onSignal)
  process.on('SIGINT', onSignal)
  // Last: whoever reads it may send a signal at once.
  console.log(banner(server))
}

export type Running = {
  readonly url: string
  readonly store: string
  /** Whether whoever is on this machine may do anything, and whether anybody may. */
  readonly demo: boolean
  readonly hasWayIn: boolean
  stop(): Promise<void>
}

/** Opens the store, listens, and gives what is needed to stop in order. */
export async function start(settings: Settings, log: Logger, parts: Parts = {}): Promise<Running> {
  const metrics = new Metrics()
  const store = await openStore(settings, log)
  const bank = createBank(store, { settings, log, metrics })
  let draining = false
  try {
    await openBooks(bank)
    await bank.readRegistry()
    const access = accessOf(bank, settings)
    const webhooks = webhooksOf(bank, { settings, store, log, metrics })
    const app = await createServer({
      bank,
      access,
      webhooks: webhooks.deliverer,
      log,
      metrics,
      currency: settings.currency,
      trustedProxies: settings.trustedProxies,
      draining: () => draining,
      ...parts,
    })
    const listening = await listen(app, settings)
    webhooks.deliverer.start()
    const { url } = listening
    const { demo, hasWayIn } = access
    log.info({ url, store: store.name, demo }, 'serving')
    return { url, store: store.name, demo, hasWayIn, stop: () => stop(listening, webhooks) }
  } catch (error) {
    await store.close()
    throw error
  }

  async function stop(listening: Listening, webhooks: ReturnType<typeof webhooksOf>): Promise<void> {
    draining = true
    setTimeout(() => listening.cut(), settings.lockDeadlineMs + drainSlackMs).unref()
    await listening.close()
    await webhooks.close()
    await bank.drain()
    await store.close()
  }
}

export function openStore(settings: Settings, log: Logger): Promise<SqliteStore> {
  const { storePath, keyRetentionMs, timeZone, adjustmentThreshold, minFreeBytes, acceptLostTail } = settings
  return SqliteStore.open({
    path: storePath ?? temporaryPath(),
    keyRetentionMs,
    timeZone,
    adjustmentThreshold,
    minFreeBytes,
    acceptLostTail,
    onDead: (error) => onDead(log, error),
    onNotice: (notice) => log.warn(notice),
  })
}

/** A place for a store that goes with the process, however that ends in order. */
function temporaryPath(): string {
  const directory = mkdtempSync(join(tmpdir(), 'cashpoint-'))
  process.on('exit', () => rmSync(directory, { recursive: true, force: true }))
  return join(directory, 'cashpoint.db')
}

function accessOf(bank: Bank, settings: Settings): Access {
  const { host, demo, tokens, rateLimit, rateLimitAddress } = settings
  return new Access(bank, systemClock, {
    demo: demo && isLoopback(host),
    tokens: tokens && new Tokens(tokens),
    perCredential: rateLimit,
    perAddress: rateLimitAddress,
  })
}

/** Sends events to webhooks, whose secrets must be made from the key that they were made from at first. */
function webhooksOf(
  bank: Bank,
  of: { settings: Settings; store: SqliteStore; log: Logger; metrics: Metrics },
) {
  const { settings, store, log, metrics } = of
  const path = settings.keysPath ?? join(dirname(store.path), 'keys.json')
  const sealer = new Sealer(readKeys(path).webhooks)
  const inUse = bank.things.filter((thing) => thing.kind === 'webhook' && thing.disabled_at === undefined)
  const strange = inUse.find((thing) => thing.kind === 'webhook' && thing.sealed_with !== sealer.id)
  if (strange !== undefined)
    throw new SettingError(
      `webhook ${strange.id} was made with another key than the one in ${path}: name the right file with CASHPOINT_KEYS`,
    )
  const deliveries = store.openDeliveries()
  const deliverer = new Deliverer({
    bank,
    clock: systemClock,
    deliveries,
    sealer,
    networks: settings.webhookNetworks,
    onDead: ({ webhook, id, error }) => log.warn({ webhook, event: id, error }, 'a webhook gave an event up'),
    onError: (error) => log.error({ err: error }, 'webhooks failed'),
  })
  const sumOf = (name: 'pending' | 'dead') => () => {
    const webhooks = bank.things.filter(({ kind }) => kind === 'webhook')
    return webhooks.reduce((sum, { id }) => sum + deliveries.counts(id)[name], 0)
  }
  metrics.gauge('webhook_events_pending', 'Events on their way to webhooks.', sumOf('pending'))
  metrics.gauge('webhook_events_dead', 'Events that webhooks gave up after a day.', sumOf('dead'))
  return {
    deliverer,
    async close() {
      await deliverer.close()
      deliveries.close()
    },
  }
}

function createBank(store: SqliteStore, of: { settings: Settings; log: Logger; metrics: Metrics }): Bank {
  const { settings, log, metrics } = of
  const bank = new Bank(store, systemClock, {
    deadlineMs: settings.lockDeadlineMs,
    onCommit: (size, ms) => metrics.onCommit(size, ms),
    onError: (error) => {
      metrics.onError()
      log.error({ err: error }, 'command failed')
    },
  })
  for (const [name, { help, read }] of Object.entries(store.figures())) metrics.gauge(name, help, read)
  metrics.gauge('queue_commands', 'Commands that wait or are being committed.', () => bank.queueLength)
  return bank
}

/** Opens the first accounts, where there are none. */
export async function openBooks(bank: Bank): Promise<void> {
  const { total } = await bank.accounts({ limit: 1 })
  if (total > 0) return
  const { reply } = await bank.submit({
    command: { type: 'open_books', accounts: openingAccounts },
    actor: '',
  })
  if (reply.type === 'refused')
    throw new StoreError('unusable', `the first accounts could not be opened: ${reply.refusal}`)
}

type Parts = Pick<Parameters<typeof createServer>[0], 'moreRoutes'>

function onDead(log: Logger, error: unknown): void {
  log.fatal({ err: error }, 'the store died: what was under way is unknown')
  // A moment for the answers to leave.
  setTimeout(() => process.exit(exitSoftware), 250)
}

function banner({ url, store, demo, hasWayIn }: Running): string {
  const head = `Cashpoint is serving the ATM API.\n\n  URL    ${url}\n  store  ${store}\n`
  if (!hasWayIn)
    return `${head}
There is no credential yet, so nobody may ask. Stop the server and make one:

  npm run credentials -- create --role admin --name YOU
`
  if (!demo) return `${head}  access by credentials\n`
  return `${head}  demo   open to this machine alone, until there is a credential

Try it:

  curl ${url}/accounts/123456789/balance
  curl ${url}/accounts/123456789/withdraw -H 'content-type: application/json' -d '{"amount": 100.00}'
  curl ${url}/accounts
`
}

function help(): string {
  const rows = Object.values(settingTable).map(
    ({ flag, variable, fallback, help }) =>
      `  --${flag.padEnd(20)} ${variable.padEnd(31)} ${help} (${fallback})`,
  )
  return `usage: cashpoint serve [flags]\n\n${rows.join('\n')}`
}
