/** Every scenario on `apply` alone: books in memory, no store, no queue. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { rulesOf, sha256 } from '../../src/bank/batch.ts'
import { isAccountNumber } from '../../src/ledger/account.ts'
import { apply } from '../../src/ledger/apply.ts'
import { genesis, seal } from '../../src/ledger/block.ts'
import { Books, posted } from '../../src/ledger/books.ts'
import { type Command, holdAt, idOf, type Key } from '../../src/ledger/command.ts'
import { ownerOf } from '../../src/ledger/entity.ts'
import { formatMinor } from '../../src/ledger/money.ts'
import { toLine } from '../../src/ledger/record.ts'
import { refusals } from '../../src/ledger/refusal.ts'
import { heldClock } from '../support/clock.ts'
import { assertProven } from '../support/journal.ts'
import {
  answerOf,
  commandOf,
  type Driver,
  type Entered,
  readScenarios,
  testScenarios,
} from '../support/scenario.ts'
import { saidOfAccount, saidOfHold, saidOfTransfer } from '../support/v1-words.ts'

testScenarios('apply', { can: ['clock', 'scopes', 'people', 'atm'] }, async () => new ApplyDriver())

// What the queue and the stores say is tested where they are.
const notOfRules = [
  'account_busy',
  'in_progress',
  'overloaded',
  'storage_low',
  'store_unavailable',
  'outcome_unknown',
]

test('every refusal of the rules has a scenario', () => {
  const said = readScenarios().flatMap(({ steps }) => steps.map(({ expected }) => expected))
  const untold = Object.keys(refusals).filter((refusal) => !said.some((line) => line.includes(refusal)))
  assert.deepEqual(untold.sort(), notOfRules.sort())
})

class ApplyDriver implements Driver {
  readonly #books = Books.at(genesis(1))
  readonly #clock = heldClock()
  readonly #rules = rulesOf()
  #currency = 'USD'

  async submit(request: Parameters<Driver['submit']>[0]) {
    const command = commandOf(request, this.#currency)
    return 'said' in command ? command : this.command(command, request.key)
  }

  async command(command: Command, key: Key | undefined, actor = '', entered: Entered = {}) {
    const before = this.#books.records.length
    const fresh = sha256(`fresh ${before}`)
    const outcome = apply(
      this.#books,
      { command, actor, fresh, ...(key && { key }), ...entered },
      this.#clock.now(),
      this.#rules,
    )
    // What a store would load for a reversal.
    for (const { content, sequence, at } of this.#books.records.slice(before))
      if (content.kind === 'transfer')
        this.#books.load({ transfer: { transfer: posted(content, idOf(sequence), at), reversed: 0 } })
    return answerOf(outcome)
  }

  async look(what: 'account' | 'hold' | 'transfer', name: string) {
    const now = this.#clock.now()
    const account = this.#books.account(name)
    if (what === 'account') return account === undefined ? 'none' : saidOfAccount(account, now)
    const hold = this.#books.hold(name)
    if (what === 'hold') return hold === undefined ? 'none' : saidOfHold(holdAt(hold, now))
    const page = this.#books.transfer(name)
    return page === undefined ? 'none' : saidOfTransfer(page)
  }

  async entity(name: string) {
    return this.#books.entity(name)
  }

  async waiting(prefix: string, owner: string) {
    return this.#books.waiting(prefix).filter((entity) => ownerOf(entity) === owner)
  }

  async ledger(account: string) {
    return this.#books.account(account)?.ledger
  }

  async openBooks(accounts: Parameters<Driver['openBooks']>[0]) {
    return this.command({ type: 'open_books', accounts }, undefined)
  }

  async balance(number: string) {
    const account = this.#books.account(number)
    return account && formatMinor(account.ledger, account.currency)
  }

  async accounts() {
    const opened = this.#books.records.flatMap(({ content }) =>
      content.kind === 'account_opened' && isAccountNumber(content.account) ? [content.account] : [],
    )
    return Promise.all(
      opened.sort().map(async (number) => ({ number, balance: (await this.balance(number)) ?? 'none' })),
    )
  }

  async useCurrency(currency: string) {
    this.#currency = currency
  }

  moveClock(ms: number) {
    this.#clock.move(ms)
  }

  /** One block of all there is must be proven by the verifier, which shares no code with the books. */
  async close() {
    const { records } = this.#books
    if (records.length === 0) return
    const lines = records.map(toLine)
    const block = seal(genesis(1), lines, { at: this.#clock.now(), totals: this.#books.totals(), sha256 })
    assertProven([{ block, lines }])
  }
}
