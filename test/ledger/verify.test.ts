/** What proves the books: an honest journal is proven, and whatever is done to it is named, where it was done. */
import assert from 'node:assert/strict'
import { beforeEach, test } from 'node:test'
import { sha256 } from '../../src/bank/batch.ts'
import { type Block, blockHash, genesis, seal } from '../../src/ledger/block.ts'
import { canonical, type Line } from '../../src/ledger/record.ts'
import { MemoryStore } from '../../src/stores/memory/store.ts'
import { heldClock } from '../support/clock.ts'
import { deposit, pending, withdraw } from '../support/commands.ts'
import { assertProven, journalOf, prove } from '../support/journal.ts'

type Journal = { block: Block; lines: Line[] }[]
// biome-ignore lint/suspicious/noExplicitAny: forgeries are of any shape
type Body = any

/**
 * block 1: records 1 to 4, a and b opened with 1000.00 and 500.00
 * block 2: records 5 to 7, a first deposit of 10 yen to c, with a key
 * block 3: records 8 and 9, 4.00 from a and 1.00 to b
 * block 4: record 10, 1.00 from a
 */
let honest: Journal

beforeEach(async () => {
  const clock = heldClock()
  const store = new MemoryStore({ clock })
  const accounts = [
    { number: 'a', currency: 'USD', ledger: 100_000 },
    { number: 'b', currency: 'USD', ledger: 50_000 },
  ]
  const batches = [
    [pending({ type: 'open_books', accounts })],
    [pending(deposit('c', '10', 'JPY'), { key: { scope: '', key: 'k' } })],
    [pending(withdraw('a', '4')), pending(deposit('b', '1'))],
    [pending(withdraw('a', '1'))],
  ]
  for (const batch of batches) {
    await store.commit(batch)
    clock.move(1000)
  }
  honest = (await journalOf(store)).map(({ block, lines }) => ({ block, lines: [...lines] }))
})

/** Replaces a record's line by another. */
function change(sequence: number, forge: (line: Line) => Line): Journal {
  return honest.map(({ block, lines }) => ({
    block,
    lines: lines.map((line) => (line.sequence === sequence ? forge(line) : line)),
  }))
}

/** Changes what a record says. */
function changeBody(sequence: number, forge: (body: Body) => void): Journal {
  return change(sequence, (line) => {
    const body = JSON.parse(line.body)
    forge(body)
    return { ...line, body: JSON.stringify(body) }
  })
}

function changeBlock(sequence: number, forged: Partial<Block>): Journal {
  return honest.map(({ block, lines }) => ({
    block: block.sequence === sequence ? { ...block, ...forged } : block,
    lines,
  }))
}

/** Hashes every block anew and chains them, as a forger would who knows how. */
function reseal(journal: Journal): Journal {
  let previous = genesis(1).hash
  return journal.map(({ block, lines }) => {
    const open = { ...block, previous }
    previous = blockHash(open, lines, sha256)
    return { block: { ...open, hash: previous }, lines }
  })
}

function check(journal: Journal, fault: { block: number; record?: number }, what: RegExp): void {
  const result = prove(journal)
  assert('what' in result, 'the forgery went unseen')
  const { what: actual, ...where } = result
  assert.deepEqual(where, fault, actual)
  assert.match(actual, what)
}

test('an honest journal is proven: sums are 0 in every currency', () => {
  assert.deepEqual(assertProven(honest), {
    blocks: 4,
    records: 10,
    accounts: 3,
    head: honest.at(-1)?.block.hash,
    sums: [
      { currency: 'JPY', customers: 10n, terminals: 0n, house: -10n },
      { currency: 'USD', customers: 149_600n, terminals: 0n, house: -149_600n },
    ],
  })
})

test('no journal at all is proven, and proves nothing', () => {
  assert.deepEqual(assertProven([]), { blocks: 0, records: 0, accounts: 0, head: '0'.repeat(64), sums: [] })
})

test('a journal cut between two blocks proves the moment of its last one', () => {
  const { head, blocks } = assertProven(honest.slice(0, 3))
  assert.deepEqual({ head, blocks }, { head: honest[2]?.block.hash, blocks: 3 })
})

test('a changed record does not match the hash of its block, whatever was changed', () => {
  const byHash = /does not match its hash/
  const byWhatItSays = /was changed: /
  check(
    changeBody(8, (body) => (body.amount = 40)),
    { block: 3, record: 8 },
    byWhatItSays,
  )
  check(
    changeBody(8, (body) => (body.debit_after.ledger = 100_000)),
    { block: 3, record: 8 },
    byWhatItSays,
  )
  check(
    changeBody(8, (body) => (body.debit_after.version += 1)),
    { block: 3, record: 8 },
    byWhatItSays,
  )
  check(
    changeBody(8, (body) => (body.key = 'k')),
    { block: 3 },
    byHash,
  )
  check(
    changeBody(7, (body) => (body.reply.ledger = 1000)),
    { block: 2, record: 7 },
    byWhatItSays,
  )
  check(
    change(10, (line) => ({ ...line, at: line.at + 1 })),
    { block: 4 },
    byHash,
  )
  check(
    change(10, (line) => ({ ...line, actor: 'somebody' })),
    { block: 4 },
    byHash,
  )
  check(
    change(10, (line) => ({ ...line, scope: 'elsewhere' })),
    { block: 4 },
    byHash,
  )
  check(
    change(5, (line) => ({ ...line, kind: 'reply' })),
    { block: 2, record: 5 },
    byWhatItSays,
  )
  check(
    change(1, (line) => ({ ...line, body: `${line.body} ` })),
    { block: 1 },
    byHash,
  )
})

test('a changed block does not match its hash', () => {
  const byHash = /does not match its hash/
  check(changeBlock(2, { at: 0 }), { block: 2 }, byHash)
  check(changeBlock(2, { clock: 3 }), { block: 2 }, byHash)
  check(changeBlock(3, { totals: honest[1]?.block.totals ?? '' }), { block: 3 }, byHash)
  check(changeBlock(4, { hash: '0'.repeat(64) }), { block: 4 }, byHash)
})

test('a block that names another one before it, or none, is out of the chain', () => {
  check(changeBlock(3, { previous: '0'.repeat(64) }), { block: 3 }, /hash of the block before/)
  check(changeBlock(1, { previous: 'f'.repeat(64) }), { block: 1 }, /hash of the block before/)
  const resealedAlone = honest.map(({ block, lines }) =>
    block.sequence === 2
      ? { block: { ...block, at: 1, hash: blockHash({ ...block, at: 1 }, lines, sha256) }, lines }
      : { block, lines },
  )
  check(resealedAlone, { block: 3 }, /hash of the block before/)
})

test('a missing record, two that changed places, and one too many are named', () => {
  const edit = (forge: (lines: Line[]) => Line[]) =>
    honest.map(({ block, lines }) => ({ block, lines: block.sequence === 3 ? forge(lines) : lines }))
  check(
    edit(([first]) => (first ? [first] : [])),
    { block: 3 },
    /its last record is 9; it is 8/,
  )
  check(
    edit(([, second]) => (second ? [second] : [])),
    { block: 3 },
    /record 8 is missing/,
  )
  check(
    edit((lines) => lines.toReversed()),
    { block: 3 },
    /record 8 is missing/,
  )
  check(
    edit((lines) => [...lines, ...lines]),
    { block: 3 },
    /record 10 is missing/,
  )
  check(
    edit(() => []),
    { block: 3 },
    /no records/,
  )
  check(changeBlock(3, { last: 8 }), { block: 3 }, /its last record is 8; it is 9/)
})

test('a missing block, blocks that changed places, and one of another writer are named', () => {
  check(honest.toSpliced(1, 1), { block: 3 }, /follows block 1: blocks are missing/)
  check(honest.slice(1), { block: 2 }, /follows block 0: blocks are missing/)
  const [one, two, three, four] = honest as [Journal[0], Journal[0], Journal[0], Journal[0]]
  check([one, three, two, four], { block: 3 }, /follows block 1/)
  check([one, two, two, three, four], { block: 2 }, /follows block 2/)
  check(changeBlock(2, { writer: 2 }), { block: 2 }, /is of writer 2, not 1/)
  check(changeBlock(2, { clock: 1 }), { block: 2 }, /clock 1 is not beyond 1/)
})

test('re-sealed with a wrong balance, the hashes are right and the arithmetic is not', () => {
  const forged = reseal(changeBody(8, (body) => (body.debit_after.ledger = 100_000)))
  check(forged, { block: 3, record: 8 }, /leaves 100000 on account a; it must be 99600/)
})

test('re-sealed with another amount, the balance it leaves gives it away', () => {
  const forged = reseal(changeBody(8, (body) => (body.amount = 4)))
  check(forged, { block: 3, record: 8 }, /leaves 99600 on account a; it must be 99996/)
})

test('re-sealed with another amount and balance, the next record of the account gives it away', () => {
  const forged = changeBody(8, (body) => {
    body.amount = 500
    body.debit_after.ledger = 99_500
  })
  const [, , third] = forged
  assert(third !== undefined)
  third.block = { ...third.block, totals: third.block.totals.replace(/"cash:USD":"\d+"/, '"cash:USD":"400"') }
  check(reseal(forged), { block: 4, record: 10 }, /leaves 99500 on account a; it must be 99400/)
})

test('re-sealed with all of that in the last record, the house totals give it away', () => {
  const forged = changeBody(10, (body) => {
    body.amount = 200
    body.debit_after.ledger = 99_400
  })
  check(reseal(forged), { block: 4 }, /house totals are .*, the records make/)
})

test('re-sealed with changed house totals', () => {
  const { totals = '' } = honest[2]?.block ?? {}
  check(reseal(changeBlock(3, { totals: totals.replace('300', '301') })), { block: 3 }, /house totals are/)
  check(reseal(changeBlock(3, { totals: '{}' })), { block: 3 }, /house totals are/)
})

test('re-sealed without one of its transfers, the next of the account gives it away', () => {
  const forged = honest.map(({ block, lines }) => {
    if (block.sequence < 3) return { block, lines }
    const kept = lines.filter(({ sequence }) => sequence !== 8)
    return {
      block: {
        ...block,
        last: block.last - 1,
        totals: block.totals.replace(/"cash:USD":"300"/, '"cash:USD":"-100"'),
      },
      lines: kept.map((line) => ({ ...line, sequence: line.sequence - 1 })),
    }
  })
  check(reseal(forged), { block: 4, record: 9 }, /leaves 99500 on account a; it must be 99900/)
})

test('re-sealed records that no rule could have written are named, each with what is wrong', () => {
  const forgeries: [number, (body: Body) => void, RegExp][] = [
    [8, (body) => (body.debit_after.version = 4), /at version 4; it must be 3/],
    [8, (body) => (body.debit_after.version = 2), /at version 2; it must be 3/],
    [8, (body) => (body.debit_after.held = 100), /held on account/],
    [8, (body) => (body.debit_after = null), /leaves no balance on account a/],
    [8, (body) => (body.credit_after = body.debit_after), /leaves a balance on house account cash:USD/],
    [8, (body) => (body.debit = 'x'), /names account x, which was never opened/],
    [8, (body) => (body.debit = 'constructor'), /names account constructor, which was never opened/],
    [8, (body) => (body.debit = 'cash:USD'), /from cash:USD to itself/],
    [8, (body) => (body.credit = 'cash:EUR'), /moves USD on cash:EUR/],
    [8, (body) => (body.currency = 'EUR'), /moves EUR on account a, which is in USD/],
    [8, (body) => (body.amount = -400), /moves -400, which is no amount/],
    [8, (body) => (body.amount = 0.5), /moves 0.5, which is no amount/],
    [8, (body) => (body.amount = 2 ** 53), /which is no amount/],
    [8, (body) => (body.amount = '400'), /moves 400, which is no amount/],
    [5, (body) => (body.after.ledger = 100), /opens account c with a balance/],
    [5, (body) => (body.after.version = 2), /opens account c with a balance/],
    [5, (body) => (body.account = 'a'), /opens account a, which is open/],
    [7, (body) => (body.key = ''), /remembers no proper key/],
    [7, (body) => (body.fingerprint = 'f'), /remembers no proper key/],
    [7, (body) => (body.reply.transfer = '1-4'), /answers with transfer 1-4, not 1-6/],
    [7, (body) => (body.reply.amount = 1), /answers otherwise than transfer 1-6 says/],
    [7, (body) => (body.reply.ledger = 1), /answers otherwise than transfer 1-6 says/],
    [7, (body) => (body.reply.account = 'a'), /answers otherwise than transfer 1-6 says/],
    [7, (body) => (body.key = 'another'), /answers otherwise than transfer 1-6 says/],
  ]
  for (const [record, forge, what] of forgeries) {
    const block = honest.findIndex(({ block }) => record <= block.last) + 1
    check(reseal(changeBody(record, forge)), { block, record }, what)
  }
})

test('re-sealed with more paid out than was there, although it adds up', () => {
  const forged = changeBody(8, (body) => {
    body.amount = 100_001
    body.debit_after.ledger = -1
  })
  check(reseal(forged), { block: 3, record: 8 }, /takes account a below what is available/)
})

test('re-sealed with a balance that no double can tell from its neighbour', () => {
  const forged = changeBody(9, (body) => {
    body.amount = Number.MAX_SAFE_INTEGER
    body.credit_after.ledger = 50_000 + Number.MAX_SAFE_INTEGER
  })
  check(reseal(forged), { block: 3, record: 9 }, /which is no exact amount/)
})

test('re-sealed with an account that goes back in time', () => {
  const forged = change(8, (line) => ({ ...line, at: line.at - 2001 }))
  check(reseal(forged), { block: 3, record: 8 }, /goes back in time on account a/)
})

test('re-sealed with a line that is not JSON, or of a kind nobody knows', () => {
  check(reseal(change(8, (line) => ({ ...line, body: '{' }))), { block: 3, record: 8 }, /not JSON/)
  const kind = 'gift' as Line['kind']
  check(reseal(change(8, (line) => ({ ...line, kind }))), { block: 3, record: 8 }, /kind .* not know: gift/)
})

test('re-sealed with a line that lacks its members is named as well', () => {
  for (const [record, block] of [
    [5, 2],
    [7, 2],
    [8, 3],
  ] as const)
    for (const body of ['{}', 'null', '[]', '1'])
      check(reseal(change(record, (line) => ({ ...line, body }))), { block, record }, /./)
})

test('the first thing wrong is named, not the last', () => {
  const forged = changeBody(3, (body) => (body.account = 'a'))
  const both = reseal(forged).map(({ block, lines }) => ({
    block: { ...block, at: block.sequence === 4 ? 0 : block.at },
    lines,
  }))
  check(both, { block: 1, record: 3 }, /opens account a, which is open/)
})

test('the bytes a hash covers are pinned: they can never change, or no old journal is proven', () => {
  const lines: Line[] = [
    {
      sequence: 1,
      at: 1893456000000,
      kind: 'reply',
      actor: 'Zoë 🏧',
      scope: 'shop "é"',
      body: '{"key":"k","fingerprint":"ff","reply":{"type":"refused","refusal":"account_not_found"}}',
    },
    {
      sequence: 2,
      at: 1893456000001,
      kind: 'account_opened',
      actor: '',
      scope: '',
      body: '{"account":"007","currency":"JPY","after":{"ledger":0,"held":0,"version":1}}',
    },
  ]
  assert.equal(
    lines.map(canonical).join(''),
    '[1,1893456000000,"reply","Zoë 🏧","shop \\"é\\"",{"key":"k","fingerprint":"ff","reply":{"type":"refused","refusal":"account_not_found"}}]\n' +
      '[2,1893456000001,"account_opened","","",{"account":"007","currency":"JPY","after":{"ledger":0,"held":0,"version":1}}]\n',
  )
  const totals = new Map([['cash:JPY', -18014398509481982n] as const])
  const block = seal(genesis(1), lines, { at: 1893456000002, totals, sha256 })
  // Made with Python's hashlib from the text above and the block's own line before it.
  assert.deepEqual(block, {
    writer: 1,
    sequence: 1,
    clock: 1,
    at: 1893456000002,
    last: 2,
    totals: '{"cash:JPY":"-18014398509481982"}',
    previous: '0000000000000000000000000000000000000000000000000000000000000000',
    hash: 'a6086dde578d1064473c8c3450ee45b7f5114c6aa990b0bdb236add7c6bcd461',
  })
})
