/**
 * Proves a store from its files, whether a server runs on them or not: the journal from its first block, and that
 * the index says what the journal says, of accounts and of what the ATM side keeps. Reads in slices, so that a running server's WAL is not held up.
 */
import { existsSync } from 'node:fs'
import type { DatabaseSync } from 'node:sqlite'
import { sha256 } from '../../bank/batch.ts'
import { type KeptEntity, LeftEntities } from '../../bank/left-entities.ts'
import { type BlockRange, type ChainProven, type ProofProgress, StoreError } from '../../bank/store.ts'
import { sequenceOf } from '../../ledger/command.ts'
import { checkSealed, type Fault, type Proven, Verifier } from '../../ledger/verify.ts'
import { filesOf, isOfToday, judgeJournal, messageOf, openForReading } from './files.ts'
import { lostTail } from './head.ts'
import { JournalReader } from './journal.ts'
import type { AccountRow } from './load.ts'
import { progressOf } from './projection.ts'

const recordsPerSlice = 5_000

/** Throws a StoreError `unusable` where there is no store at the path, or it cannot be read at all. */
export function prove(path: string): Fault | Proven
export function prove(
  path: string,
  range: BlockRange,
  onProgress?: (progress: ProofProgress) => void,
): Fault | Proven | ChainProven
export function prove(
  path: string,
  range: BlockRange = {},
  onProgress: (progress: ProofProgress) => void = () => {},
): Fault | Proven | ChainProven {
  const files = filesOf(path)
  judgeJournal(files)
  const whole = range.from === undefined && range.to === undefined
  // The index first, at once: a running server goes on changing it, and the journal's head is then beyond it.
  const derived = whole && existsSync(files.index) ? readIndex(files.index) : undefined
  const journal = openForReading(files.journal)
  const at = { block: Math.max(0, (range.from ?? 1) - 1), of: 0 }
  try {
    const reader = new JournalReader(journal)
    at.of = Math.min(range.to ?? Infinity, reader.head().sequence)
    const tell = (block: number) => {
      at.block = block
      onProgress({ ...at })
    }
    if (!whole) return proveChain(reader, { from: at.block + 1, to: at.of }, tell)
    const found = proveJournal(reader, derived, at.of, tell)
    const lost = lostTail(files.head, reader)
    return lost === undefined || 'what' in found ? found : lost
  } catch (error) {
    // A damaged page says so when it is read.
    return { block: at.block + 1, what: `cannot be read: ${messageOf(error)}` }
  } finally {
    journal.close()
  }
}

type Tell = (block: number) => void

function proveJournal(
  reader: JournalReader,
  derived: Derived | undefined,
  last: number,
  tell: Tell,
): Fault | Proven {
  const verifier = new Verifier({ sha256, line: (id) => reader.lines(sequenceOf(id) - 1, sequenceOf(id))[0] })
  const entities = new LeftEntities()
  let at = { sequence: 0, last: 0 }
  for (;;) {
    const what = derived?.block === at.sequence ? compare(verifier, entities, derived) : undefined
    if (what !== undefined) return { block: at.sequence, what }
    if (at.sequence >= last) break

    for (const { block, lines } of reader.after(at, recordsPerSlice)) {
      const fault = verifier.check(block, lines)
      if (fault !== undefined) return fault
      const what = at.sequence < (derived?.block ?? 0) ? entities.take(block, lines) : undefined
      if (what !== undefined) return { block: block.sequence, what }
      at = block
      if (derived?.block === at.sequence) break
    }
    tell(at.sequence)
  }
  if (derived !== undefined && derived.block > at.sequence)
    return { block: derived.block, what: 'is what the index has come to, but the journal ends before it' }
  return verifier.finish()
}

function proveChain(
  reader: JournalReader,
  { from, to }: Required<BlockRange>,
  tell: Tell,
): Fault | ChainProven {
  let head = reader.block(from - 1)
  if (head === undefined || to < from) return { block: from, what: 'is beyond the newest block' }
  const before = head.last
  while (head.sequence < to) {
    for (const { block, lines } of reader.after(head, recordsPerSlice)) {
      const fault = block.sequence > to ? undefined : checkSealed(head, block, lines, sha256)
      if (fault !== undefined) return fault
      if (block.sequence <= to) head = block
    }
    tell(head.sequence)
  }
  return { from, to, records: head.last - before, head: head.hash }
}

type Derived = {
  readonly block: number
  readonly hash: string
  readonly accounts: readonly AccountRow[]
  readonly entities: readonly EntityRow[]
}

type EntityRow = Omit<KeptEntity, 'waiting'> & { readonly waiting: number | null }

/** Undefined for an index of another version, which says nothing to this one. */
function readIndex(path: string): Derived | undefined {
  let index: DatabaseSync | undefined
  try {
    index = openForReading(path)
    if (!isOfToday(index)) return undefined
    index.exec('begin')
    const accounts = index
      .prepare('select number, currency, ledger, held, version, at, more from accounts')
      .all()
    const entities = index.prepare('select name, owner, waiting, waits_on, due, body from entities').all()
    const { block, hash } = progressOf(index)()
    return { block, hash, accounts: accounts as AccountRow[], entities: entities as EntityRow[] }
  } catch (cause) {
    const what = `the index ${path} cannot be read (${messageOf(cause)}): without it, one is made at the next start`
    throw new StoreError('unusable', what, { cause })
  } finally {
    index?.close()
  }
}

function compare({ accounts, head }: Verifier, left: LeftEntities, derived: Derived): string | undefined {
  if (head.sequence > 0 && head.hash !== derived.hash) return `has another hash in the index, ${derived.hash}`
  for (const { number, currency, ledger, held, version, more } of derived.accounts) {
    const account = accounts.get(number)
    if (account === undefined) return `the index has account ${number}, which the journal never opened`
    const same =
      account.currency === currency &&
      account.ledger === ledger &&
      account.held === held &&
      account.version === version &&
      account.state === (JSON.parse(more ?? '{}').state ?? 'active')
    if (!same) return `the index has ${ledger} on account ${number}; the journal leaves ${account.ledger}`
  }
  if (derived.accounts.length !== accounts.size) return 'the index does not have every account'
  for (const { waiting, ...row } of derived.entities) {
    const what = left.differs({ ...row, waiting: waiting === 1 })
    if (what !== undefined) return `in the index, ${what}`
  }
  const missing = left.missingIn(new Set(derived.entities.map(({ name }) => name)))
  return missing === undefined ? undefined : `the index does not have ${missing}`
}
