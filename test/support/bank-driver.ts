/** Runs scenarios on a bank over a store at some place. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { Bank } from '../../src/bank/bank.ts'
import { sha256 } from '../../src/bank/batch.ts'
import { systemClock } from '../../src/bank/clock.ts'
import type { Store } from '../../src/bank/store.ts'
import type { Command, Key } from '../../src/ledger/command.ts'
import { formatMinor } from '../../src/ledger/money.ts'
import { assertProven, journalOf } from './journal.ts'
import { type Answer, answerOf, commandOf, type Driver, type Entered, type Request } from './scenario.ts'
import type { Place } from './stores.ts'
import { saidOfAccount, saidOfHold, saidOfTransfer } from './v1-words.ts'

export class BankDriver implements Driver {
  readonly #place: Place
  #store: Store
  bank: Bank
  currency = 'USD'

  private constructor(place: Place, store: Store) {
    this.#place = place
    this.#store = store
    this.bank = new Bank(store, place.clock ?? systemClock)
  }

  static async open(place: Place): Promise<BankDriver> {
    return new BankDriver(place, await place.open())
  }

  async submit(request: Request): Promise<Answer> {
    const command = commandOf(request, this.currency)
    if ('said' in command) return command
    return answerOf(await this.bank.submit({ command, actor: '', ...(request.key && { key: request.key }) }))
  }

  async command(command: Command, key: Key | undefined, actor = '', entered: Entered = {}): Promise<Answer> {
    const fresh = sha256(randomUUID())
    return answerOf(await this.bank.submit({ command, actor, fresh, ...(key && { key }), ...entered }))
  }

  async look(what: 'account' | 'hold' | 'transfer', name: string): Promise<string> {
    if (what === 'account') {
      const account = await this.bank.account(name)
      return account === undefined ? 'none' : saidOfAccount(account, this.bank.now)
    }
    if (what === 'hold') {
      const hold = await this.bank.hold(name)
      return hold === undefined ? 'none' : saidOfHold(hold)
    }
    const page = await this.bank.transfer(name)
    return page === undefined ? 'none' : saidOfTransfer(page)
  }

  entity(name: string) {
    return this.bank.entity(name)
  }

  async waiting(prefix: string, owner: string) {
    const { things } = await this.bank.entities({ prefix, owner, waiting: true, limit: 1_000 })
    return things
  }

  async ledger(account: string): Promise<number | undefined> {
    return (await this.bank.account(account))?.ledger
  }

  async openBooks(accounts: Parameters<Driver['openBooks']>[0]): Promise<Answer> {
    return answerOf(await this.bank.submit({ command: { type: 'open_books', accounts }, actor: '' }))
  }

  async balance(number: string): Promise<string | undefined> {
    const account = await this.bank.account(number)
    return account && formatMinor(account.ledger, account.currency)
  }

  async accounts(): Promise<{ number: string; balance: string }[]> {
    const { total, pieces } = await this.bank.accounts({})
    const accounts = (await Array.fromAsync(pieces)).flat()
    assert.equal(accounts.length, total, 'the list has as many accounts as it says')
    return accounts.map(({ number, ledger, currency }) => ({
      number,
      balance: formatMinor(ledger, currency),
    }))
  }

  async useCurrency(currency: string): Promise<void> {
    this.currency = currency
  }

  moveClock(ms: number): void {
    assert(this.#place.clock !== undefined, 'this store has a clock of its own')
    this.#place.clock.move(ms)
  }

  async restart(): Promise<void> {
    assert(this.#place.keeps, 'this store keeps nothing')
    await this.bank.drain()
    await this.#store.close()
    this.#store = await this.#place.open()
    this.bank = new Bank(this.#store, this.#place.clock ?? systemClock)
  }

  /** The journal that the scenario leaves must be proven. */
  async close(): Promise<void> {
    try {
      assertProven(await journalOf(this.#store))
    } finally {
      await this.#store.close()
      this.#place.remove()
    }
  }
}
