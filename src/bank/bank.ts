/** The bank: what every interface calls. It knows commands and replies, and neither HTTP nor SQL. */
import type { Account, AccountNumber } from '../ledger/account.ts'
import type { Totals } from '../ledger/block.ts'
import type { StoredReply, TransferPage } from '../ledger/books.ts'
import {
  type Command,
  type Hold,
  holdAt,
  type Key,
  type Outcome,
  type PostedTransfer,
  type RecordId,
  type Submission,
} from '../ledger/command.ts'
import type { Entity, EntityName } from '../ledger/entity.ts'
import type { Instant } from '../ledger/money.ts'
import { fromLine } from '../ledger/record.ts'
import type { Thing } from '../ledger/registry.ts'
import type { Clock } from './clock.ts'
import { Expiry } from './expiry.ts'
import { Queue, type QueueOptions, queueDefaults } from './queue.ts'
import type {
  AccountList,
  AccountPage,
  Act,
  ActPage,
  BlockPage,
  EntitiesFound,
  EntityPage,
  Entry,
  EntryPage,
  Finding,
  FindPage,
  Found,
  HoldPageQuery,
  LineRange,
  ListedBlock,
  NamedRecord,
  Store,
  TransferPageQuery,
} from './store.ts'
import { Verification } from './verification.ts'

const registryEveryMs = 500
/** What fits on a slip of paper. */
const statementEntries = 10

/** A record with its name, and its place in the journal. */
export type PlacedRecord = NamedRecord & { readonly place: number }

function changesRegistry({ type }: Command): boolean {
  return (
    type === 'create_credential' ||
    type === 'revoke_credential' ||
    type === 'create_webhook' ||
    type === 'disable_webhook' ||
    type === 'redeliver' ||
    type === 'adjust' ||
    type === 'decide_adjustment'
  )
}

export class Bank {
  /** Passes that prove the books. */
  readonly verification: Verification
  readonly #store: Store
  readonly #clock: Clock
  readonly #queue: Queue
  readonly #expiry: Expiry
  #next = Promise.withResolvers<void>()
  #things: readonly Thing[] = []
  readonly #onThings: ((things: readonly Thing[]) => void)[] = []

  constructor(store: Store, clock: Clock, options: Partial<QueueOptions> = {}) {
    this.#store = store
    this.#clock = clock
    this.verification = new Verification(store, clock)
    this.#queue = new Queue(store, clock, {
      ...queueDefaults,
      ...options,
      onCommit: (size, ms) => {
        options.onCommit?.(size, ms)
        this.#onCommitted()
      },
    })
    this.#expiry = new Expiry(store, clock, (submission) => this.#queue.submit(submission))
    store.watch?.(({ registry }) => {
      this.#onCommitted()
      if (registry) this.readRegistry().catch(() => this.#readRegistryLater())
    })
  }

  #onCommitted(): void {
    const { resolve } = this.#next
    this.#next = Promise.withResolvers()
    resolve()
  }

  /** Resolves after the next commit. */
  get nextCommit(): Promise<void> {
    return this.#next.promise
  }

  /** The place of the last record of the journal. */
  last(): Promise<number> {
    return this.#store.last()
  }

  /** The place of a record in the journal; undefined where there is none of that name. */
  placeOf(id: RecordId): Promise<number | undefined> {
    return this.#store.placeOf(id)
  }

  /** The records beyond one place, up to another that is there. */
  async records(range: LineRange): Promise<readonly PlacedRecord[]> {
    const lines = await this.#store.lines(range)
    return lines.map(({ id, line }, i) => ({ id, place: range.after + 1 + i, ...fromLine(line) }))
  }

  /** Blocks without their lines, newest first. */
  blocks(page: BlockPage): Promise<readonly ListedBlock[]> {
    return this.#store.blocks(page)
  }

  /** The newest block of each writer. */
  heads(): Promise<readonly ListedBlock[]> {
    return this.#store.heads()
  }

  /** Decides a command, exactly once if it has a key, and answers when that is on disk. */
  submit(submission: Submission): Promise<Outcome> {
    const outcome = this.#queue.submit(submission)
    return changesRegistry(submission.command) ? this.#registered(outcome) : outcome
  }

  /** Who is let in, or not any more, is known by when that is answered; if the outcome is not, as soon as it is. */
  async #registered(outcome: Promise<Outcome>): Promise<Outcome> {
    const { reply } = await outcome
    if (reply.type === 'registered') await this.readRegistry()
    else if (reply.type === 'refused' && reply.refusal === 'outcome_unknown') this.#readRegistryLater()
    return outcome
  }

  #readRegistryLater(): void {
    this.#clock.after(registryEveryMs, async () => {
      if (!this.writable) return this.#readRegistryLater()
      await this.readRegistry().catch(() => this.#readRegistryLater())
    })
  }

  /** Reads who is let in and who is told; to be called before the first request. */
  async readRegistry(): Promise<void> {
    this.#things = await this.#store.things()
    for (const listen of this.#onThings) listen(this.#things)
  }

  /** Credentials, webhooks, and adjustments that wait, oldest first. */
  get things(): readonly Thing[] {
    return this.#things
  }

  /** Calls back with what is registered, now and whenever that changes. */
  watchRegistry(listen: (things: readonly Thing[]) => void): void {
    this.#onThings.push(listen)
    listen(this.#things)
  }

  thing(id: RecordId): Promise<Thing | undefined> {
    return this.#store.thing(id)
  }

  /** What only some may do and somebody did, newest first. */
  acts(page: ActPage): Promise<Found<Act>> {
    return this.#store.acts(page)
  }

  account(number: AccountNumber): Promise<Account | undefined> {
    return this.#store.account(number)
  }

  transfer(id: RecordId): Promise<TransferPage | undefined> {
    return this.#store.transfer(id)
  }

  /** A hold as it is now: one whose time is up has expired, also before a command has resolved it. */
  async hold(id: RecordId): Promise<Hold | undefined> {
    const hold = await this.#store.hold(id)
    return hold && holdAt(hold, this.now)
  }

  /** What the ATM side keeps under a name. */
  entity(name: EntityName): Promise<Entity | undefined> {
    return this.#store.entity(name)
  }

  /** The same of names that begin alike, in their bytewise order. */
  entities(page: EntityPage): Promise<EntitiesFound> {
    return this.#store.entities(page)
  }

  /** What a terminal did for customers, or cards, by how they were numbered: newest first, each as it is now. */
  find(page: FindPage): Promise<Found<Finding>> {
    return this.#store.find(page)
  }

  /** The records about withdrawals or exceptions, oldest first. */
  about(names: readonly EntityName[], limit: number): Promise<readonly NamedRecord[]> {
    return this.#store.about(names, limit)
  }

  reply(key: Key): Promise<StoredReply | undefined> {
    return this.#store.reply(key)
  }

  totals(): Promise<Totals> {
    return this.#store.totals()
  }

  entries(page: EntryPage): Promise<readonly Entry[]> {
    return this.#store.entries(page)
  }

  /** The last entries of an account up to a version of it: whoever asks with the same one again is told the same. */
  statement(account: AccountNumber, version: number): Promise<readonly Entry[]> {
    return this.#store.entries({ account, before: version + 1, limit: statementEntries })
  }

  transfers(page: TransferPageQuery): Promise<Found<PostedTransfer>> {
    return this.#store.transfers(page)
  }

  /** Holds as they are now, by the same clock as `hold`. */
  holds(page: Omit<HoldPageQuery, 'now'>): Promise<Found<Hold>> {
    return this.#store.holds({ ...page, now: this.now })
  }

  accounts(page: AccountPage): Promise<AccountList> {
    return this.#store.accounts(page)
  }

  /** The instant by which a read tells what is held and what has expired. */
  get now(): Instant {
    return this.#clock.now()
  }

  /** Whether another server should be asked: what is behind this one's store does not answer. */
  get isAway(): boolean {
    return this.#store.isAway ?? false
  }

  /** Whether commands are accepted now. */
  get writable(): boolean {
    return this.#store.shut === undefined
  }

  /** How many commands wait or are being committed. */
  get queueLength(): number {
    return this.#queue.length
  }

  /** Has the ledger look at withdrawals whose time is up, from now on until the bank is drained. */
  watchDue(): void {
    this.#expiry.start()
  }

  /** Waits for what was accepted. The store stays open: it is closed by whoever opened it. */
  async drain(): Promise<void> {
    await this.#expiry.stop()
    await this.#queue.idle()
  }
}
