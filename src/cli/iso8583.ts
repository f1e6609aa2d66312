/** The listeners of ISO 8583: those that the settings name, or the demo's own for as long as there is a demo. */
import type { Logger } from 'pino'
import type { Access } from '../access/access.ts'
import type { Bank } from '../bank/bank.ts'
import { businessDays } from '../bank/business-day.ts'
import { type Address, readAddresses } from '../iso8583/address.ts'
import { Listener } from '../iso8583/listener.ts'
import type { Onlookers } from '../iso8583/onlookers.ts'
import { ListenError } from '../rest/listen-error.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import type { Vault } from '../vault/vault.ts'
import { SettingError, type Settings } from './settings.ts'

type Parts = {
  readonly bank: Bank
  readonly vault: Vault | undefined
  readonly access: Access
  readonly log: Logger
  readonly metrics: Metrics
  readonly onlookers: Onlookers
}

export type Lines = {
  /** Where it listens, as addresses that clients are given. */
  readonly urls: readonly string[]
  close(): Promise<void>
  cut(): void
}

const ofDemo = 'iso87a://localhost:8583'

export async function openLines(settings: Settings, parts: Parts): Promise<Lines> {
  const { access, bank, log, onlookers } = parts
  const isDemos = settings.iso8583 === undefined
  const addresses = settings.iso8583 ?? (access.demo ? readAddresses(ofDemo) : [])
  const listeners: Listener[] = []
  const urls: string[] = []
  for (const address of addresses) {
    const listener = listenerOf(address, settings, parts)
    try {
      await listener.start()
    } catch (error) {
      if (!isDemos) {
        await Promise.all(listeners.map((each) => each.close()))
        throw told(error, address)
      }
      log.warn({ port: address.port, code: codeOf(error) }, 'ISO 8583 is not served: its port cannot be had')
      continue
    }
    listeners.push(listener)
    urls.push(`${address.host.includes(':') ? `[${address.host}]` : address.host}:${listener.port}`)
  }
  // It is open to whoever is on this machine: with the first credential that is over.
  if (isDemos)
    bank.watchRegistry(() => {
      if (!access.demo) for (const listener of listeners) void listener.close()
    })
  return {
    urls,
    async close() {
      await Promise.all(listeners.map((listener) => listener.close()))
      onlookers.close()
    },
    cut: () => {
      for (const listener of listeners) listener.cut()
    },
  }
}

function listenerOf(address: Address, settings: Settings, parts: Parts): Listener {
  const { bank, vault, log, metrics, onlookers } = parts
  const onError = (error: unknown) => {
    metrics.onError()
    log.error({ err: error }, 'a message of ISO 8583 failed')
  }
  return new Listener(address, {
    desk: { bank, vault, dayOf: businessDays(settings.timeZone), onError },
    log,
    now: () => bank.now,
    onAnswer: (type, code) => metrics.onMessage(type, code),
    onlookers,
  })
}

/** A port that cannot be had is no mistake in the setting; a file that cannot be read is. */
function told(error: unknown, { host, port }: Address): Error {
  const { syscall, message } = error as NodeJS.ErrnoException
  return syscall === 'listen' || syscall === 'getaddrinfo'
    ? new ListenError(`ISO 8583 cannot listen on ${host}:${port}: ${codeOf(error)}`)
    : new SettingError(`CASHPOINT_ISO8583 cannot be used: ${message}`)
}

function codeOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException
  return code ?? message
}
