/** Every scenario on `apply` alone: books in memory, no store, no queue. */
import { rulesOf, sha256 } from '../../src/bank/batch.ts'
import { apply } from '../../src/ledger/apply.ts'
import { genesis, seal } from '../../src/ledger/block.ts'
import { Books } from '../../src/ledger/books.ts'
import { formatMinor } from '../../src/ledger/money.ts'
import { toLine } from '../../src/ledger/record.ts'
import { heldClock } from '../support/clock.ts'
import { assertProven } from '../support/journal.ts'
import { answerOf, commandOf, type Driver, testScenarios } from '../support/scenario.ts'

testScenarios('apply', { can: ['clock', 'scopes'] }, async () => new ApplyDriver())

class ApplyDriver implements Driver {
  readonly #books = Books.at(genesis(1))
  readonly #clock = heldClock()
  readonly #rules = rulesOf()
  #currency = 'USD'

  async submit(request: Parameters<Driver['submit']>[0]) {
    const command = commandOf(request, this.#currency)
    if ('said' in command) return command
    const submission = { command, actor: '', ...(request.key && { key: request.key }) }
    return answerOf(apply(this.#books, submission, this.#clock.now(), this.#rules))
  }

  async openBooks(accounts: Parameters<Driver['openBooks']>[0]) {
    const command = { type: 'open_books', accounts } as const
    return answerOf(apply(this.#books, { command, actor: '' }, this.#clock.now(), this.#rules))
  }

  async balance(number: string) {
    const account = this.#books.account(number)
    return account && formatMinor(account.ledger, account.currency)
  }

  async accounts() {
    const opened = this.#books.records.flatMap(({ content }) =>
      content.kind === 'account_opened' ? [content.account] : [],
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
