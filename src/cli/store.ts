/** Opens the store that the settings name, for every command that works on one. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Logger } from 'pino'
import type { Bank } from '../bank/bank.ts'
import { type Store, StoreError } from '../bank/store.ts'
import type { DeliveryLog } from '../bank/webhooks.ts'
import { SqliteStore } from '../stores/sqlite/store.ts'
import type { Settings } from './settings.ts'

/** The accounts a new store begins with, in minor units. */
const openingAccounts = [
  { number: '123456789', currency: 'USD', ledger: 100_000 },
  { number: '987654321', currency: 'USD', ledger: 250_000 },
  { number: '555555555', currency: 'USD', ledger: 50_000 },
]

/** What sysexits(3) calls an internal software error: the store's thread died, and a supervisor should start us again. */
const exitSoftware = 70

export type OpenStore = Store & {
  /** What became of webhooks' events, kept beside the books; whoever opens it closes it. */
  openDeliveries(): DeliveryLog
}

/** The driver of a database is loaded only where there is one. */
export async function openStore(settings: Settings, log: Logger): Promise<OpenStore> {
  const { storePath, databaseUrl, keyRetentionMs, timeZone, adjustmentThreshold } = settings
  const rules = { keyRetentionMs, timeZone, adjustmentThreshold }
  if (databaseUrl !== undefined) {
    const { PostgresStore } = await import('../stores/postgres/store.ts')
    return PostgresStore.open({ url: databaseUrl, named: settings.namedStatements, ...rules })
  }
  const { minFreeBytes, acceptLostTail } = settings
  return SqliteStore.open({
    path: storePath ?? temporaryPath(),
    ...rules,
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

function onDead(log: Logger, error: unknown): void {
  log.fatal({ err: error }, 'the store died: what was under way is unknown')
  // A moment for the answers to leave.
  setTimeout(() => process.exit(exitSoftware), 250)
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
