/** Layers of books: forks that are merged, dropped or detached, and journals replayed into new books. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { rulesOf } from '../../src/bank/batch.ts'
import { plainAccount } from '../../src/ledger/account.ts'
import { apply } from '../../src/ledger/apply.ts'
import { genesis, writeTotals } from '../../src/ledger/block.ts'
import { Books } from '../../src/ledger/books.ts'
import type { Command } from '../../src/ledger/command.ts'
import { fromLine, toLine } from '../../src/ledger/record.ts'
import { deposit, gist, withdraw } from '../support/commands.ts'

const now = Date.UTC(2030, 0, 1)
const rules = rulesOf()

/** Applies commands one after the other; a command with a key is remembered under it. */
function run(books: Books, ...commands: (Command | [key: string, command: Command])[]) {
  return commands.map((command) =>
    gist(
      Array.isArray(command)
        ? apply(books, { command: command[1], actor: '', key: { scope: '', key: command[0] } }, now, rules)
        : apply(books, { command, actor: '' }, now, rules),
    ),
  )
}

/** All that can be asked of the books about these accounts and keys. */
function state(books: Books) {
  return {
    sequence: books.sequence,
    nextId: books.nextId,
    accounts: ['a', 'b', 'c'].map((number) => books.account(number)),
    replies: ['k', 'l', 'm'].map((key) => books.reply('', key)),
    totals: writeTotals(books.totals()),
    cash: books.total('cash:USD'),
  }
}

function booksWithTen(): Books {
  const books = Books.at(genesis(1))
  assert.deepEqual(run(books, ['k', deposit('a', '10')]), [1000])
  return books
}

test('a fork reads through to the accounts, replies, totals and sequence below', () => {
  const books = booksWithTen()
  assert.deepEqual(state(books.fork()), state(books))
  assert.deepEqual(state(books.fork().fork().fork()), state(books))
})

test('a fork keeps its changes to itself', () => {
  const books = booksWithTen()
  const before = state(books)
  const fork = books.fork()
  assert.deepEqual(run(fork, withdraw('a', '4'), ['l', deposit('b', '1')]), [600, 100])

  assert.equal(fork.account('a')?.ledger, 600)
  assert.equal(fork.account('b')?.ledger, 100)
  assert.notEqual(fork.reply('', 'l'), undefined)
  assert.equal(fork.total('cash:USD'), -700n)
  assert.deepEqual(state(books), before)
})

test('a dropped fork changes nothing, and the next one takes up where the books are', () => {
  const books = booksWithTen()
  const before = state(books)
  run(books.fork(), withdraw('a', '10'), ['l', deposit('c', '1')])
  assert.deepEqual(state(books), before)

  const next = books.fork()
  assert.deepEqual(run(next, withdraw('a', '10')), [0])
  assert.equal(next.records[0]?.sequence, before.sequence + 1)
})

test('a merge hands down records, accounts, replies, totals and the sequence', () => {
  const books = booksWithTen()
  const first = books.records.length
  const fork = books.fork()
  run(fork, withdraw('a', '4'), ['l', deposit('b', '1')], ['k', withdraw('a', '1')])
  const forked = state(fork)
  const { records } = fork
  fork.merge()

  assert.deepEqual(state(books), forked)
  assert.deepEqual(books.records.slice(first), records)
  assert.deepEqual(
    books.records.map(({ sequence }) => sequence),
    books.records.map((_, i) => i + 1),
  )
})

test('an atomic batch on a fork of a fork: dropped it is forgotten, merged it is part of the batch', () => {
  const books = booksWithTen()
  const batch = books.fork()
  run(batch, withdraw('a', '1'))
  run(batch.fork(), withdraw('a', '5'), ['m', deposit('c', '1')])
  const atomic = batch.fork()
  assert.deepEqual(run(atomic, withdraw('a', '2'), ['l', deposit('b', '3')]), [700, 300])
  atomic.merge()
  assert.equal(books.account('a')?.ledger, 1000, 'nothing is in the books before the batch is')
  batch.merge()

  assert.equal(books.account('a')?.ledger, 700)
  assert.equal(books.account('b')?.ledger, 300)
  assert.equal(books.account('c'), undefined)
  assert.equal(books.reply('', 'm'), undefined)
  assert.equal(books.total('cash:USD'), -1000n)
})

test('one fork after the other is the same books as all at once', () => {
  const commands = [deposit('a', '10'), withdraw('a', '3'), deposit('b', '0.01'), withdraw('b', '1')]
  const atOnce = Books.at(genesis(1))
  run(atOnce, ...commands)
  const oneByOne = Books.at(genesis(1))
  for (const command of commands) {
    const fork = oneByOne.fork()
    run(fork, command)
    fork.merge()
  }
  assert.deepEqual(state(oneByOne), state(atOnce))
  assert.deepEqual(oneByOne.records, atOnce.records)
})

test('only a fork can be merged', () => {
  assert.throws(() => Books.at(genesis(1)).merge(), /only a fork/)
})

test('a detached fork lets go of the pages below, and keeps all house totals', () => {
  const books = booksWithTen()
  run(books, deposit('yen', '5', 'JPY'))
  const fork = books.fork()
  run(fork, deposit('b', '1'))
  const totals = writeTotals(fork.totals())
  fork.detach()

  assert.equal(fork.account('a'), undefined, 'this page must come from the store now')
  assert.equal(fork.reply('', 'k'), undefined)
  assert.equal(fork.account('b')?.ledger, 100)
  assert.equal(writeTotals(fork.totals()), totals)
  assert.equal(totals, '{"cash:JPY":"-5","cash:USD":"-1100"}')
  assert.equal(fork.sequence, books.sequence + 2)
  assert.deepEqual(state(books.fork()), state(books), 'the books below are as they were')
})

const loaded = plainAccount({
  number: 'a',
  currency: 'USD',
  after: { ledger: 500, held: 0, version: 7 },
  at: now,
})

test('books at a block begin with its totals and behind its last record', () => {
  const books = Books.at({ writer: 3, last: 41, totals: '{"cash:USD":"-18014398509481982"}' })
  assert.equal(books.nextId, '3-42')
  assert.equal(books.total('cash:USD'), -18014398509481982n)
  books.load({ account: loaded })
  assert.deepEqual(run(books, withdraw('a', '5')), [0])
  assert.equal(books.account('a')?.version, 8)
  assert.equal(books.total('cash:USD'), -18014398509481482n)
})

test('a page that was loaded is no change: it writes no record', () => {
  const books = Books.at(genesis(1))
  books.load({ account: loaded })
  assert.equal(books.records.length, 0)
  assert.equal(books.sequence, 0)
})

test('replaying a journal, read back from its stored lines, gives the same books', () => {
  const books = Books.at(genesis(1))
  run(books, ['k', deposit('a', '10')], withdraw('a', '3'), ['l', withdraw('a', '8')], deposit('b', '2'))
  run(books, ['m', withdraw('c', '1')], { type: 'open_books', accounts: [] })

  const replayed = Books.at(genesis(1))
  for (const record of books.records) replayed.absorb(fromLine(toLine(record)))
  assert.deepEqual(state(replayed), state(books))
  assert.equal(replayed.records.length, 0, 'what is absorbed was written before')
})

test('what was replayed goes on as if it had never stopped', () => {
  const books = booksWithTen()
  const replayed = Books.at(genesis(1))
  for (const record of books.records) replayed.absorb(record)
  const commands: Parameters<typeof run>[1][] = [
    ['k', deposit('a', '10')],
    withdraw('a', '10.01'),
    withdraw('a', '1'),
  ]
  assert.deepEqual(run(replayed, ...commands), run(books, ...commands))
  assert.deepEqual(state(replayed), state(books))
})

test('a gap in the sequence, or a record twice, is a mistake of ours', () => {
  const { records } = booksWithTen()
  const [first, second, third] = records
  assert(first && second && third)
  const books = Books.at(genesis(1))
  assert.throws(() => books.absorb(second), /without a gap/)
  books.absorb(first)
  assert.throws(() => books.absorb(first), /without a gap/)
  assert.throws(() => books.absorb(third), /without a gap/)
  books.absorb(second)
  assert.equal(books.account('a')?.ledger, 1000)
})

test('two forks of the same books cannot both be merged', () => {
  const books = booksWithTen()
  const [one, other] = [books.fork(), books.fork()]
  run(one, withdraw('a', '8'))
  run(other, withdraw('a', '8'))
  one.merge()
  assert.throws(() => other.merge())
})
