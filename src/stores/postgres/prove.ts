/**
 * Proves the books of all writers, and that accounts and what the ATM side keeps are what the journal leaves. Beside
 * `stores/sqlite/prove.ts`: there is a chain for each writer, read in the one order of all, and rows may be further on
 * than the pass.
 */
import { sha256 } from '../../bank/batch.ts'
import { type KeptEntity, LeftEntities } from '../../bank/left-entities.ts'
import { type BlockRange, type ChainProven, type ProofProgress, StoreError } from '../../bank/store.ts'
import { type Block, genesis } from '../../ledger/block.ts'
import { checkSealed, type Fault, type Proven, Verifier } from '../../ledger/verify.ts'
import { type Ask, messageOf, type PostgresOptions, poolOf, reader, statement } from './connect.ts'
import { Places } from './places.ts'
import { type AccountRow, accountColumns } from './rows.ts'

const rowsPerSlice = 5_000

const slice = statement(
  'prove_accounts',
  `select ${accountColumns} from accounts where number > $1 order by number limit ${rowsPerSlice}`,
)
const entitySlice = statement(
  'prove_entities',
  `select name, clock, owner, waiting, waits_on, due, body
  from entities
  where name > $1
  order by name
  limit ${rowsPerSlice}`,
)
const headAt = statement(
  'prove_head',
  `select b.writer, b.sequence, b.clock, b.at, b.last, b.totals, b.previous, b.hash
  from places p join blocks b on b.writer = p.writer and b.sequence = p.sequence
  where p.writer = $1 and p.block < $2
  order by p.last desc
  limit 1`,
)

/** Proves a database, whether nodes run on it or not. Throws a StoreError `unusable` where it cannot be read. */
export async function proveDatabase(
  options: PostgresOptions,
  range: BlockRange,
): Promise<Fault | Proven | ChainProven> {
  const pool = poolOf(options, 2)
  try {
    return await prove(new Places(pool, options), reader(pool, options), range, () => {})
  } catch (cause) {
    throw new StoreError('unusable', `the database cannot be read: ${messageOf(cause)}`, { cause })
  } finally {
    await pool.end()
  }
}

export async function prove(
  places: Places,
  ask: Ask,
  range: BlockRange,
  onProgress: (progress: ProofProgress) => void,
): Promise<Fault | Proven | ChainProven> {
  const { block: newest } = await places.head()
  const { from = 1, to = newest } = range
  if (range.from !== undefined || range.to !== undefined)
    return proveChain(places, ask, { from, to: Math.min(to, newest) }, onProgress)

  const verifier = new Verifier({ sha256, writer: 'any' })
  const entities = new LeftEntities()
  for await (const { block, lines, number } of places.blocks(0, newest)) {
    const fault = verifier.check(block, lines)
    if (fault !== undefined) return fault
    const what = entities.take(block, lines)
    if (what !== undefined) return { block: number, what }
    if (number % 1_000 === 0 || number === newest) onProgress({ block: number, of: newest })
  }
  const found = verifier.finish()
  if ('what' in found) return found
  const newer: Newer = { accounts: [], entities: [] }
  const what =
    (await compareAccounts(verifier, ask, newer)) ??
    (await compareEntities(entities, ask, newer)) ??
    (await compareNewer(entities, places, newest, newer))
  return what === undefined ? found : { block: newest, what }
}

async function proveChain(
  places: Places,
  ask: Ask,
  { from, to }: { from: number; to: number },
  onProgress: (progress: ProofProgress) => void,
): Promise<Fault | ChainProven> {
  if (to < from) return { block: from, what: 'is beyond the newest block' }
  const heads = new Map<number, Block>()
  let records = 0
  let head = ''
  for await (const { block, lines, number } of places.blocks(from - 1, to)) {
    const before = heads.get(block.writer) ?? (await headBefore(block.writer, from, ask))
    const fault = checkSealed(before, block, lines, sha256)
    if (fault !== undefined) return fault
    heads.set(block.writer, block)
    records += lines.length
    head = block.hash
    if (number % 1_000 === 0 || number === to) onProgress({ block: number, of: to })
  }
  return { from, to, records, head }
}

async function headBefore(writer: number, from: number, ask: Ask): Promise<Block> {
  const [row] = await ask(headAt, [writer, from])
  return (row as Block | undefined) ?? genesis(writer)
}

type EntityRow = KeptEntity & { readonly clock: number }

/** Rows that the pass knows nothing of, or an earlier moment: of blocks that came after it had begun. */
type Newer = { readonly accounts: string[]; readonly entities: EntityRow[] }

/** Accounts that were changed since the pass began are further on than what it knows, and only that is asked of them. */
async function compareAccounts({ accounts }: Verifier, ask: Ask, newer: Newer): Promise<string | undefined> {
  let count = 0
  for (let after = ''; ; ) {
    const rows = (await ask(slice, [after])) as unknown as AccountRow[]
    for (const { number, currency, ledger, held, version, state } of rows) {
      const proven = accounts.get(number)
      if (proven === undefined) {
        newer.accounts.push(number)
        continue
      }
      count += 1
      if (version > proven.version) continue
      const same =
        proven.version === version &&
        proven.currency === currency &&
        proven.ledger === ledger &&
        proven.held === held &&
        proven.state === state
      if (!same) return `account ${number} says ${ledger}; the journal leaves ${proven.ledger}`
    }
    if (rows.length < rowsPerSlice) break
    after = rows.at(-1)?.number ?? ''
  }
  return count === accounts.size ? undefined : 'not every account of the journal is there'
}

async function compareEntities(left: LeftEntities, ask: Ask, newer: Newer): Promise<string | undefined> {
  const known = new Set<string>()
  for (let after = ''; ; ) {
    const rows = (await ask(entitySlice, [after])) as unknown as EntityRow[]
    for (const row of rows) {
      const clock = left.clockOf(row.name) ?? -1
      if (clock >= 0) known.add(row.name)
      if (clock < row.clock) newer.entities.push(row)
      else {
        const what = differs(left, row)
        if (what !== undefined) return what
      }
    }
    if (rows.length < rowsPerSlice) break
    after = rows.at(-1)?.name ?? ''
  }
  return known.size === left.size ? undefined : `there is no ${left.missingIn(known)}`
}

/** What was read of later blocks is held against those, which are in the order of all by now. */
async function compareNewer(
  left: LeftEntities,
  places: Places,
  newest: number,
  { accounts, entities }: Newer,
): Promise<string | undefined> {
  if (accounts.length === 0 && entities.length === 0) return undefined
  const { block: to } = await places.head()
  const opened = new Set<string>()
  for await (const { block, lines } of places.blocks(newest, to)) {
    const what = left.take(block, lines)
    if (what !== undefined) return what
    for (const { kind, body } of lines) if (kind === 'account_opened') opened.add(JSON.parse(body).account)
  }
  const unknown = accounts.find((number) => !opened.has(number))
  if (unknown !== undefined) return `there is account ${unknown}, which the journal never opened`
  for (const row of entities) {
    // One that was changed once more since it was read is held against nothing.
    const what = (left.clockOf(row.name) ?? -1) > row.clock ? undefined : differs(left, row)
    if (what !== undefined) return what
  }
  return undefined
}

/** Also where it is of another block: the clock of the next one that changes it comes from there. */
function differs(left: LeftEntities, row: EntityRow): string | undefined {
  const clock = left.clockOf(row.name)
  return clock === undefined || clock === row.clock
    ? left.differs(row)
    : `${row.name} is of clock ${row.clock}; the journal leaves it at ${clock}`
}
