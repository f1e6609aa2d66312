/**
 * Takes a journal out of a database, or puts one into an empty one, block by block, each proven before it is written.
 * Beside `stores/sqlite/copy.ts`: out comes what all writers wrote, in one order; in goes what one wrote, in one
 * transaction in place of a draft that is moved.
 */
import { sha256 } from '../../bank/batch.ts'
import { type Copied, isBeyond, provenCopy, type Sealed, type Until, uncopied } from '../../bank/copy.ts'
import { StoreError } from '../../bank/store.ts'
import { genesis } from '../../ledger/block.ts'
import { Books, posted } from '../../ledger/books.ts'
import { idOf } from '../../ledger/command.ts'
import { fromLine, type JournalRecord } from '../../ledger/record.ts'
import { faultText, Verifier } from '../../ledger/verify.ts'
import { type Ask, asker, connect, messageOf, type PostgresOptions, poolOf, statement } from './connect.ts'
import { readTransfers } from './load.ts'
import { migrate } from './migrate.ts'
import { Places } from './places.ts'
import { spotOf } from './rows.ts'
import { saves } from './save.ts'

// So many statements are on their way at once.
const statementsMax = 500

const enter = statement(
  'enter_writer',
  `insert into writers (id, epoch, holder, until, block, last, totals) values (1, 1, 'import', 0, 0, 0, '{}')`,
)

/** The blocks of a database in their one order, up to the newest one there is when it begins. */
export async function* databaseBlocks(options: PostgresOptions): AsyncGenerator<Sealed> {
  const pool = poolOf(options, 2)
  try {
    const places = new Places(pool, options)
    const { block: newest } = await places.head()
    for await (const { block, lines } of places.blocks(0, newest)) yield { block, lines }
  } catch (cause) {
    throw uncopied(`the database cannot be read: ${messageOf(cause)}`, cause)
  } finally {
    await pool.end()
  }
}

/**
 * Makes the store of an empty database out of one writer's blocks, in one transaction. Throws a StoreError `unusable`,
 * and leaves nothing behind, where there is something already, where a block does not prove, or where they end before
 * what was asked for.
 */
export async function copyToDatabase(
  blocks: Iterable<Sealed> | AsyncIterable<Sealed>,
  options: PostgresOptions,
  until: Until = {},
): Promise<Copied> {
  const client = await connect(options).catch((cause) => {
    throw uncopied(`the database cannot be reached: ${messageOf(cause)}`, cause)
  })
  try {
    await migrate(client)
    await client.query('begin')
    const ask = asker(client, options)
    // Whoever starts a node meanwhile waits here, and then finds a ledger.
    await ask(enter, []).catch((cause) => {
      throw uncopied('there is a ledger in the database already', cause)
    })
    const copied = await write(blocks, ask, until)
    await client.query('commit')
    return copied
  } catch (cause) {
    const why = cause instanceof StoreError ? cause.message : messageOf(cause)
    throw uncopied(`${why}: nothing was written`, cause)
  } finally {
    // Where it did not come to COMMIT, this takes it all back.
    await client.end().catch(() => {})
  }
}

async function write(
  blocks: Iterable<Sealed> | AsyncIterable<Sealed>,
  ask: Ask,
  until: Until,
): Promise<Copied> {
  const verifier = new Verifier({ sha256 })
  const books = Books.at(genesis(1))
  let asked: Promise<unknown>[] = []
  for await (const { block, lines } of blocks) {
    if (isBeyond(until, block)) break
    const fault = verifier.check(block, lines)
    if (fault !== undefined) throw uncopied(faultText(fault))
    const fork = books.fork()
    const records = lines.map(fromLine)
    for (const record of records) {
      await loadReversed(fork, record, records, ask)
      fork.absorb(record)
      fork.records.push(record)
    }
    const written = { books: fork, below: books, lines, block, epoch: 1, until: 0 }
    asked.push(...saves(written).map(([statement, values]) => ask(statement, values)))
    fork.merge()
    books.records.length = 0
    if (asked.length < statementsMax) continue
    await Promise.all(asked)
    asked = []
  }
  await Promise.all(asked)
  return provenCopy(verifier, until)
}

/** A reversal's transfer, which the books need: of this block, or of one that was written before. */
async function loadReversed(
  books: Books,
  { content }: JournalRecord,
  block: readonly JournalRecord[],
  ask: Ask,
): Promise<void> {
  const id = content.kind === 'transfer' ? content.reverses : undefined
  if (id === undefined || books.transfer(id) !== undefined) return
  const spot = spotOf(id)
  const own = block.find(({ sequence }) => idOf(sequence) === id)
  if (own?.content.kind === 'transfer')
    return books.load({ transfer: { transfer: posted(own.content, id, own.at), reversed: 0 } })
  const [page] = spot === undefined ? [] : await readTransfers([spot], ask)
  if (page !== undefined) books.load({ transfer: page })
}
