/** Lists that are being read: those asked for together are one, and they keep no more than they may. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import type { Account } from '../../src/ledger/account.ts'
import { filesOf, openForReading } from '../../src/stores/sqlite/files.ts'
import { Lists } from '../../src/stores/sqlite/lists.ts'
import { accountsPerPiece, OpenLists, readPiece } from '../../src/stores/sqlite/open-lists.ts'
import { makeAccounts, sqlitePlace } from '../support/stores.ts'

const place = sqlitePlace()
after(() => place.remove())
const numbers = Array.from({ length: 2 * accountsPerPiece }, (_, i) => `a-${String(i).padStart(5, '0')}`)
await makeAccounts(place.path, numbers)

/** Counts how often a list is made. */
class Counted extends Lists {
  made = 0
  override accounts(page: Parameters<Lists['accounts']>[0]): ReturnType<Lists['accounts']> {
    this.made += 1
    return super.accounts(page)
  }
}

function lists(keptMax?: number): { counted: Counted; open: OpenLists } {
  const { index, journal } = filesOf(place.path)
  const [indexed, written] = [openForReading(index), openForReading(journal)]
  after(() => {
    indexed.close()
    written.close()
  })
  const counted = new Counted({ index: indexed, journal: written })
  return { counted, open: new OpenLists(counted, keptMax) }
}

function readAll(
  open: OpenLists,
  { list, first }: Awaited<ReturnType<OpenLists['open']>>,
): readonly Account[] {
  const accounts = [...readPiece(first)]
  for (let piece = readPiece(first); piece.length === accountsPerPiece; accounts.push(...piece))
    piece = readPiece(open.piece(list))
  return accounts
}

test('those who ask before a list is begun have part in it, each at their own pace; the next one is made anew', async () => {
  const { counted, open } = lists()
  const three = await Promise.all([open.open({}), open.open({}), open.open({})])
  assert.equal(counted.made, 1)
  for (const opened of three)
    assert.deepEqual(
      readAll(open, opened).map(({ number }) => number),
      numbers,
    )
  assert.equal(readAll(open, await open.open({})).length, numbers.length)
  assert.equal(counted.made, 2)
})

test('where they would keep too much the first gives way, and says so', async () => {
  const { open } = lists(1)
  const first = await open.open({})
  const second = await open.open({ state: 'active' })
  assert.throws(() => open.piece(first.list), /gave way/)
  assert.equal(readAll(open, second).length, numbers.length)
})

test('one that could not be made does not stand in the way of the next', async () => {
  const { counted, open } = lists()
  counted.accounts = () => Promise.reject(new Error('this once'))
  const failed = open.open({})
  const next = open.open({ state: 'active' })
  await assert.rejects(failed, /this once/)
  await assert.rejects(next, /this once/)
  counted.accounts = Counted.prototype.accounts
  assert.equal(readAll(open, await open.open({})).length, numbers.length)
})
