/** What proves the ATM side, by chance: whatever is done proves, and any number that is changed is found. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isAtm } from '../../src/ledger/atm-records.ts'
import { prng, seed } from '../support/chance.ts'
import { assertProven, type Body, type Entry, prove } from '../support/journal.ts'
import { changedBy, forgedBy, numbersIn } from './verify-atm-forge.ts'
import { Journal, randomJournal } from './verify-atm-random.ts'
import { storyJournal } from './verify-atm-story.ts'

const long = Number(process.env['PROOF_RUNS'] ?? 1)

test(`whatever terminals, customers and operators do proves (SEED=${seed})`, () => {
  for (let run = 0; run < 6 * long; run += 1) {
    const program = seed * 1000 + run
    const result = prove(randomJournal(program, 300, 1 + (run % 3) * 4).entries)
    if ('what' in result) assert.fail(`program ${program}: block ${result.block} ${result.what}`)
  }
})

/** Numbers of settings, which nothing else tells of. */
const ofSettings = /\.(low|max_notes|max_withdrawal)$|^card_issued\.limits\./

/** What somebody says and nothing else does: whether it is true, the next count tells. */
const ofWords = [
  /^exchange_counted\.counts\./,
  /^exception_waits\.word\.dispensed$/,
  /^exception_opened\.amount$/,
  /^withdrawal_settled\.rejected\./,
  /^withdrawal_declined\.about\.nearest\./,
  /^terminal_created\./,
  /^batch_closed\.told\./,
  /^withdrawal_forestalled\.by_reference\./,
]

type Number_ = { readonly line: number; readonly kind: string; readonly path: readonly string[] }

/** The numbers that records of the ATM side, and their transfers, say. */
function numbersOf(honest: readonly Entry[], isTold: (name: string) => boolean): Number_[] {
  return honest
    .flatMap(({ lines }) => lines)
    .flatMap(({ sequence, kind, body: text }) => {
      const body: Body = JSON.parse(text)
      if (!isAtm({ kind }) && body.operation === undefined) return []
      return [...numbersIn(body)]
        .filter((path) => isTold(`${kind}.${path.join('.')}`))
        .map((path) => ({ line: sequence, kind, path }))
    })
}

function isSeen(honest: readonly Entry[], { line, path }: Number_, change: number): boolean {
  const forged = forgedBy(honest, (_, all) => {
    const record = all[line - 1]
    assert(record !== undefined)
    record.body = changedBy(record.body, path, change)
  })
  return 'what' in prove(forged)
}

test(`any number of the story, one more or one less, is found (SEED=${seed})`, () => {
  const chance = prng(seed)
  const honest = storyJournal().entries
  // The other terminal is not used.
  const unused = forgedNothing(honest, 'S')
  const numbers = numbersOf(honest, (name) => !ofSettings.test(name)).filter(({ line }) => line !== unused)
  for (let run = 0; run < 250 * long; run += 1) {
    const number = numbers[chance(numbers.length)] as Number_
    const change = chance(2) === 0 ? 1 : -1
    assert(isSeen(honest, number, change), `${JSON.stringify(number)} ${change}`)
  }
})

function forgedNothing(honest: readonly Entry[], terminal: string): number {
  const lines = honest.flatMap(({ lines }) => lines)
  const found = lines.find(
    (line) => line.kind === 'terminal_created' && JSON.parse(line.body).terminal === terminal,
  )
  return found?.sequence ?? 0
}

test(`any number of a random journal, but what is somebody's word, is found (SEED=${seed})`, () => {
  const chance = prng(seed)
  for (let run = 0; run < 3 * long; run += 1) {
    const program = seed * 1000 + run
    const honest = randomJournal(program, 120).entries
    const isTold = (name: string) => !ofSettings.test(name) && !ofWords.some((word) => word.test(name))
    const numbers = numbersOf(honest, isTold)
    for (let change = 0; change < 40; change += 1) {
      const number = numbers[chance(numbers.length)] as Number_
      const by = chance(2) === 0 ? 1 : -1
      assert(isSeen(honest, number, by), `program ${program}: ${JSON.stringify(number)} ${by}`)
    }
  }
})

function opened(...accounts: string[]): Journal {
  const journal = new Journal()
  for (const number of accounts) {
    const plain = { overdraft_limit: 0, minimum_balance: 0, metadata: {} }
    journal.command({ type: 'open_account', number, currency: 'USD', ...plain })
    journal.command({ type: 'move', from: null, to: number, amount: 100, currency: 'USD' })
  }
  journal.step('terminal T C1:50 C3:10 D1:in')
  journal.ids.set('x', `x_1-${journal.books.sequence + 1}`)
  journal.step('exchange T')
  journal.step('end T x add C1=5 C3=5')
  journal.step('service T on')
  return journal
}

test('what comes back to an account that was closed meanwhile proves, and a deposit to it does not', () => {
  const journal = opened('A')
  journal.step('card K A pin=1234')
  journal.step('authorize T w1 K 100 pin=1234')
  journal.step('confirm T w1 C1=2')
  journal.step('undo T w1')
  journal.command({ type: 'set_state', account: 'A', state: 'closed', reason: 'r' })
  const [open] = journal.books.waiting('exception/')
  assert(open?.kind === 'exception')
  journal.step(`resolve ${open.id} dispensed=50`)
  assert.equal(journal.books.account('A')?.ledger, 50)
  assertProven(journal.entries)
  const forged = forgedBy(journal.entries, (of) => (of('transfer', { type: 'return' }).body.type = 'deposit'))
  const found = prove(forged)
  assert('what' in found && /closed/.test(found.what), JSON.stringify(found))
})

/** Ten blocks that do not decode: three cards lose their tries, and a fourth one. */
function garbled(): Journal {
  const journal = opened('A')
  for (const card of ['K', 'L', 'M', 'N']) journal.step(`card ${card} A pin=1234`)
  for (const card of ['K', 'K', 'K', 'L', 'L', 'L', 'M', 'M', 'M', 'N'])
    journal.step(`inquire T ${card} pin=garbled`)
  return journal
}

test('tries that a wrong key has cost are given back, each card its own, and to no other', () => {
  const honest = garbled().entries
  assertProven(honest)
  const forgeries: [RegExp, Parameters<typeof forgedBy>[1]][] = [
    [
      /is not what follows from blocks of terminal T/,
      (of) => (of('card_changed', { tries_left: 3 }).body.tries_left = 2),
    ],
    [
      /is not what follows from blocks of terminal T/,
      (of) => (of('exception_opened').body.type = 'out_of_balance'),
    ],
    [/opens pin_key over 1/, (of) => (of('exception_opened').body.amount = 1)],
    [
      /counts blocks of terminal T that do not decode/,
      (of) => of('terminal_changed', {}, 4).body.bad_blocks.pop(),
    ],
  ]
  for (const [what, forge] of forgeries) {
    const found = prove(forgedBy(honest, forge))
    assert('what' in found, String(what))
    assert.match(found.what, what)
  }
})
