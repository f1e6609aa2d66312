/** Every scenario through HTTP: a real server on a real socket, over a bank over a store. */
import assert from 'node:assert/strict'
import type { AddressInfo } from 'node:net'
import { after } from 'node:test'
import type { FastifyInstance } from 'fastify'
import type { Bank } from '../../src/bank/bank.ts'
import type { Command, Key } from '../../src/ledger/command.ts'
import { bankBehind } from '../support/bank-behind.ts'
import { BankDriver } from '../support/bank-driver.ts'
import { type Answer, type Driver, type Request, testScenarios } from '../support/scenario.ts'
import { memoryPlace, type Place, sqlitePlace } from '../support/stores.ts'
import {
  requestOf,
  sayAccount,
  sayBatch,
  sayHold,
  sayRefusal,
  sayReversed,
  sayTransfer,
} from '../support/v1-words.ts'
import { quietApp } from './support.ts'

testScenarios('rest on memory', { can: ['clock'] }, () => RestDriver.open(memoryPlace()))
// The rest of them SQLite has answered to the bank already.
testScenarios('rest on sqlite', { can: ['restart'], only: 'restart' }, () => RestDriver.open(sqlitePlace()))

/** One server for each currency, before the bank of whichever scenario runs: making one costs more than a scenario. */
const servers = new Map<string, Promise<FastifyInstance>>()
let current: Bank
const bank = bankBehind(() => current)
after(async () => {
  for (const server of servers.values()) await (await server).close()
})

async function serverIn(currency: string): Promise<FastifyInstance> {
  const app = await quietApp(bank, currency)
  await app.listen({ host: '127.0.0.1', port: 0 })
  return app
}

class RestDriver implements Driver {
  readonly #below: BankDriver
  #url = ''

  private constructor(below: BankDriver) {
    this.#below = below
  }

  static async open(place: Place): Promise<RestDriver> {
    const driver = new RestDriver(await BankDriver.open(place))
    await driver.#listen()
    return driver
  }

  async #listen(): Promise<void> {
    const { bank, currency } = this.#below
    current = bank
    const server = servers.get(currency) ?? serverIn(currency)
    servers.set(currency, server)
    this.#url = `http://127.0.0.1:${((await server).server.address() as AddressInfo).port}`
  }

  async submit({ type, account, amount, key }: Request): Promise<Answer> {
    const response = await fetch(`${this.#url}/accounts/${account}/${type}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(key && { 'idempotency-key': key.key }) },
      body: `{"amount": ${amount}}`,
    })
    const body = await response.text()
    const replayed = response.headers.get('idempotency-replayed') === 'true'
    const whole = `${response.status} ${response.headers.get('content-type')} ${body}`
    if (response.status !== 200) return { said: JSON.parse(body).code, replayed, whole }

    assert.equal(JSON.parse(body).account_number, account)
    return {
      said: 'posted',
      amount: figureIn(body, type === 'deposit' ? 'deposited_amount' : 'withdrawn_amount'),
      balance: figureIn(body, 'new_balance'),
      opened: body.includes('"account_created":true'),
      replayed,
      whole,
    }
  }

  async command(command: Command, key: Key | undefined): Promise<Answer> {
    const { method = 'POST', path, body, ifMatch } = requestOf(command)
    const response = await fetch(this.#url + path, {
      method,
      headers: {
        'content-type': 'application/json',
        ...(key && { 'idempotency-key': key.key }),
        ...(ifMatch !== undefined && { 'if-match': `"${ifMatch}"` }),
      },
      body: JSON.stringify(body),
    })
    const text = await response.text()
    const said: Said = JSON.parse(text)
    return {
      said: sayBody(said),
      replayed: response.headers.get('idempotency-replayed') === 'true',
      whole: `${response.status} ${response.headers.get('content-type')} ${text}`,
      ids: said.results?.map(({ body }) => body.id) ?? [said.id],
    }
  }

  async look(what: 'account' | 'hold' | 'transfer', name: string): Promise<string> {
    const response = await fetch(`${this.#url}/v1/${what}s/${name}`)
    if (response.status === 404) return 'none'
    const said = (await response.json()) as Said
    return what === 'transfer' ? sayReversed(said.amount, said.reversed_amount ?? 0) : sayBody(said)
  }

  async balance(number: string): Promise<string | undefined> {
    const response = await fetch(`${this.#url}/accounts/${number}/balance`)
    const body = await response.text()
    if (response.status === 404) {
      assert.equal(JSON.parse(body).code, 'account_not_found')
      return undefined
    }
    const simple = await fetch(`${this.#url}/accounts/${number}/balance?simple=true`)
    assert.equal(await simple.text(), figureIn(body, 'balance'), 'the simple balance is the balance')
    return figureIn(body, 'balance')
  }

  async accounts(): Promise<{ number: string; balance: string }[]> {
    const body = await (await fetch(`${this.#url}/accounts`)).text()
    const accounts = [...body.matchAll(/"account_number":"([^"]+)","balance":([0-9.]+)/g)]
    assert.equal(JSON.parse(body).total_accounts, accounts.length)
    return accounts.map(([, number = '', balance = '']) => ({ number, balance }))
  }

  openBooks(accounts: Parameters<Driver['openBooks']>[0]): Promise<Answer> {
    return this.#below.openBooks(accounts)
  }

  async useCurrency(currency: string): Promise<void> {
    await this.#below.useCurrency(currency)
    await this.#listen()
  }

  moveClock(ms: number): void {
    this.#below.moveClock(ms)
  }

  async restart(): Promise<void> {
    await this.#below.restart()
    await this.#listen()
  }

  async close(): Promise<void> {
    await this.#below.close()
  }
}

/** As much of the bodies of /v1 as scenarios tell apart. */
type Said = Parameters<typeof sayTransfer>[0] &
  Parameters<typeof sayAccount>[0] & {
    readonly id?: string
    readonly code?: string
    readonly limit?: Parameters<typeof sayRefusal>[1]['limit'] & object
    readonly expires_at?: string
    readonly captured_amount?: number | null
    readonly reversed_amount?: number
    readonly failed?: number | null
    readonly results?: readonly { readonly replayed: boolean; readonly body: Said }[]
  }

function sayBody(said: Said): string {
  const { code, results, failed = null, expires_at, captured_amount: captured = null } = said
  if (results !== undefined) {
    const answers = results.map(({ body, replayed }) => sayBody(body) + (replayed ? ' replayed' : ''))
    return sayBatch(answers, failed)
  }
  if (code !== undefined) return sayRefusal(code, said)
  if ('direction' in said) return `adjustment ${said.state}`
  if (expires_at !== undefined) return sayHold({ ...said, captured })
  return 'debit_account' in said ? sayTransfer(said) : sayAccount(said)
}

/** A figure from the digits in the body: JSON.parse would round the large ones. */
function figureIn(body: string, name: string): string {
  const figure = new RegExp(`"${name}":(-?[0-9.]+)[,}]`).exec(body)?.[1]
  assert(figure !== undefined, `${name} is a number in ${body}`)
  return figure
}
