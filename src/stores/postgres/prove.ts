/**
 * Proves the books of all writers, and that the accounts are what the journal leaves. Beside `stores/sqlite/prove.ts`:
 * there is a chain for each writer, read in the one order of all, and accounts may be further on than the pass.
 */
import { sha256 } from '../../bank/batch.ts'
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
  for await (const { block, lines, number } of places.blocks(0, newest)) {
    const fault = verifier.check(block, lines)
    if (fault !== undefined) return fault
    if (number % 1_000 === 0 || number === newest) onProgress({ block: number, of: newest })
  }
  const found = verifier.finish()
  if ('what' in found) return found
  const what = await compare(verifier, ask)
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

/** Accounts that were changed since the pass began are further on than what it knows, and only that is asked of them. */
async function compare({ accounts }: Verifier, ask: Ask): Promise<string | undefined> {
  let count = 0
  for (let after = ''; ; ) {
    const rows = (await ask(slice, [after])) as unknown as AccountRow[]
    for (const { number, currency, ledger, held, version, state } of rows) {
      const proven = accounts.get(number)
      if (proven === undefined) {
        if (version > 1) continue
        return `there is account ${number}, which the journal never opened`
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
