/** `cashpoint serve`: puts the parts together. The only place that sees all of them. */
import type { Logger } from 'pino'
import { Access } from '../access/access.ts'
import type { TokenSettings } from '../access/tokens.ts'
import { Bank } from '../bank/bank.ts'
import { systemClock } from '../bank/clock.ts'
import { atmPath, consolePages } from '../console/routes.ts'
import { Onlookers } from '../iso8583/onlookers.ts'
import { type Listening, listen } from '../rest/listen.ts'
import { messageRoutes } from '../rest/messages.ts'
import { createServer } from '../rest/server.ts'
import { openLog } from '../telemetry/log.ts'
import { Metrics } from '../telemetry/metrics.ts'
import type { Vault } from '../vault/vault.ts'
import { Watch } from '../watch/watch.ts'
import { Deliverer } from '../webhooks/deliverer.ts'
import { Sealer } from '../webhooks/signature.ts'
import { makeDemo } from './demo.ts'
import { type Lines, openLines } from './iso8583.ts'
import {
  isLoopback,
  readSettings,
  SettingError,
  type Settings,
  settings as settingTable,
} from './settings.ts'
import { type OpenStore, openBooks, openStore } from './store.ts'
import { tellV8 } from './v8.ts'
import { keysOf, openVault, type ServerKeys } from './vault.ts'

// Beyond the lock deadline, by when all that was accepted has been answered.
const drainSlackMs = 5_000
const sameSignalMs = 250
// When the start is over: whoever opens a browser takes longer.
const pagesAfterMs = 1_000

export async function serve(args: readonly string[]): Promise<void> {
  if (args.includes('--help')) return console.log(help())
  const settings = readSettings(args, process.env)
  // Logs go to stderr as JSON, so that stdout is for people.
  const log = openLog(settings.logLevel, 2)
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
  /** Where machines that speak ISO 8583 connect. */
  readonly iso8583: readonly string[]
  readonly store: string
  /** Whether whoever is on this machine may do anything, and whether anybody may. */
  readonly demo: boolean
  readonly hasWayIn: boolean
  stop(): Promise<void>
}

/** Opens the store, listens, and gives what is needed to stop in order. */
export async function start(settings: Settings, log: Logger, parts: Parts = {}): Promise<Running> {
  tellV8()
  const metrics = new Metrics(systemClock.now)
  const store = await openStore(settings, log)
  const bank = createBank(store, { settings, log, metrics })
  let draining = false
  try {
    await openBooks(bank)
    await bank.readRegistry()
    const keys = keysOf(settings, store)
    const vault = await openVault(bank, keys)
    const access = await accessOf(bank, settings)
    if (access.demo && vault !== undefined) await openDemo(bank, vault, log)
    const onlookers = new Onlookers()
    const webhooks = webhooksOf(bank, { settings, keys, store, log, metrics })
    const { timeZone, silentMs } = settings
    const watch = new Watch(bank, systemClock, { timeZone, silentMs })
    const pages = consolePages(access)
    const app = await createServer({
      bank,
      access,
      webhooks: webhooks.deliverer,
      watch,
      log,
      metrics,
      currency: settings.currency,
      vault,
      timeZone,
      trustedProxies: settings.trustedProxies,
      draining: () => draining,
      startPage: () => (access.demo ? atmPath : undefined),
      moreRoutes: [...pages.routes, ...messageRoutes(onlookers, access), ...(parts.moreRoutes ?? [])],
    })
    const listening = await listen(app, settings)
    const linesOf = { bank, vault, access, log, metrics, onlookers }
    const lines = await openLines(settings, linesOf).catch(async (error) => {
      await listening.close()
      throw error
    })
    webhooks.deliverer.start()
    bank.watchDue()
    setTimeout(() => pages.prepare(), pagesAfterMs).unref()
    const { url } = listening
    const { demo, hasWayIn } = access
    log.info({ url, store: store.name, demo, iso8583: lines.urls }, 'serving')
    const { urls: iso8583 } = lines
    const serving = { listening, lines, webhooks, watch }
    return { url, iso8583, store: store.name, demo, hasWayIn, stop: () => stop(serving) }
  } catch (error) {
    await store.close()
    throw error
  }

  async function stop({ listening, lines, webhooks, watch }: Serving): Promise<void> {
    draining = true
    const cut = () => {
      listening.cut()
      lines.cut()
    }
    setTimeout(cut, settings.lockDeadlineMs + drainSlackMs).unref()
    await Promise.all([listening.close(), lines.close()])
    await Promise.all([webhooks.close(), watch.close()])
    await bank.drain()
    await store.close()
  }
}

type Serving = {
  readonly listening: Listening
  readonly lines: Lines
  readonly webhooks: Sending
  readonly watch: Watch
}

async function accessOf(bank: Bank, settings: Settings): Promise<Access> {
  const { host, demo, tokens, rateLimit, rateLimitAddress } = settings
  // Few have an issuer of tokens: what reads them is loaded for those.
  const readTokens = async (of: TokenSettings) => new (await import('../access/tokens.ts')).Tokens(of)
  return new Access(bank, systemClock, {
    demo: demo && isLoopback(host),
    tokens: tokens && (await readTokens(tokens)),
    perCredential: rateLimit,
    perAddress: rateLimitAddress,
  })
}

async function openDemo(bank: Bank, vault: Vault, log: Logger): Promise<void> {
  const refusal = await makeDemo(bank, vault)
  if (refusal !== undefined) log.warn({ refusal }, 'the demo data could not be made')
}

type Sending = { readonly deliverer: Deliverer; close(): Promise<void> }

/** Sends events to webhooks, whose secrets must be made from the key that they were made from at first. */
function webhooksOf(
  bank: Bank,
  of: { settings: Settings; keys: ServerKeys | undefined; store: OpenStore; log: Logger; metrics: Metrics },
): Sending {
  const { settings, keys, store, log, metrics } = of
  const sealer = sealerOf(bank, keys)
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
  const sumOf = (name: 'pending' | 'dead') => async () => {
    const webhooks = bank.things.filter(({ kind }) => kind === 'webhook')
    try {
      const counts = await Promise.all(webhooks.map(({ id }) => deliveries.counts(id)))
      return counts.reduce((sum, each) => sum + each[name], 0)
    } catch {
      // Nobody knows while the database is away, when the other figures are wanted most.
      return Number.NaN
    }
  }
  metrics.gauge('webhook_events_pending', 'Events on their way to webhooks.', sumOf('pending'))
  metrics.gauge('webhook_events_dead', 'Events that webhooks gave up after a day.', sumOf('dead'))
  return {
    deliverer,
    async close() {
      await deliverer.close()
      await deliveries.close()
    },
  }
}

function sealerOf(bank: Bank, of: ServerKeys | undefined): Sealer | undefined {
  if (of === undefined) return undefined
  const { path, keys } = of
  const sealer = new Sealer(keys.webhooks)
  for (const thing of bank.things)
    if (thing.kind === 'webhook' && thing.disabled_at === undefined && thing.sealed_with !== sealer.id)
      throw new SettingError(
        `webhook ${thing.id} was made with another key than the one in ${path}: name the right file with CASHPOINT_KEYS`,
      )
  return sealer
}

function createBank(store: OpenStore, of: { settings: Settings; log: Logger; metrics: Metrics }): Bank {
  const { settings, log, metrics } = of
  const bank = new Bank(store, systemClock, {
    deadlineMs: settings.lockDeadlineMs,
    // That a lock was not had comes over a network, and after what else the database does.
    ...(settings.databaseUrl !== undefined && { graceMs: 1_000 }),
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

type Parts = Pick<Parameters<typeof createServer>[0], 'moreRoutes'>

function banner({ url, iso8583, store, demo, hasWayIn }: Running): string {
  const lines = iso8583.map((each) => `  ISO    ${each}\n`).join('')
  const head = `Cashpoint is serving the ATM API.\n\n  URL    ${url}\n  store  ${store}\n${lines}`
  if (!hasWayIn)
    return `${head}
There is no credential yet, so nobody may ask. Stop the server and make one:

  npm run credentials -- create --role admin --name YOU
`
  if (!demo) return `${head}  access by credentials\n`
  return `${head}  demo   open to this machine alone, until there is a credential

Look at it in a browser:

  ${url}

Try it:

  curl ${url}/accounts/123456789/balance
  curl ${url}/accounts/123456789/withdraw -H 'content-type: application/json' -d '{"amount": 100.00}'
  curl ${url}/accounts
  curl ${url}/v1/terminals/ATM00001
`
}

function help(): string {
  const rows = Object.values(settingTable).map(
    ({ flag, variable, fallback, help }) =>
      `  --${flag.padEnd(20)} ${variable.padEnd(31)} ${help} (${fallback})`,
  )
  return `usage: cashpoint serve [flags]\n\n${rows.join('\n')}`
}
