/** A real server outside demo mode with a machine in service, people with credentials, and their browsers at the console. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import type { Exception, Terminal, TerminalWithdrawal } from '../../src/client/types.ts'
import type { Scope } from '../process/support.ts'
import { directoryFor, openConsole, post, serveWithKeys } from './console-support.ts'

export const atm = 'ATM00007'
/** One of those that a new store has. */
const account = '123456789'
const pan = '4761739001010143'

const units = [
  { id: 'C1', type: 'cash_out', value: 5_000, low: 20 },
  { id: 'C2', type: 'cash_out', value: 2_000, low: 20 },
  { id: 'C3', type: 'cash_out', value: 1_000, low: 20 },
  { id: 'D1', type: 'cash_in' },
  { id: 'R1', type: 'reject' },
]
type Person = 'olga' | 'ben' | 'ira'

/** Olga and Ben are operators, Ira an auditor. */
export async function openBank(scope: Scope, browser: Browser) {
  const server = await serveWithKeys(scope, join(directoryFor(scope), 'cashpoint.db'))
  const { admin, operator: olga } = server.keys
  const call = (path: string, by: string, body: object) => post(server.url, `/v1${path}`, body, by)
  const credential = async (role: string, name: string) =>
    String((await call('/credentials', admin, { role, name }))['key'])
  const machine = await credential('terminal', atm)
  const keys: Record<Person, string> = {
    olga,
    ben: await credential('operator', 'ben'),
    ira: await credential('auditor', 'ira'),
  }

  const at = `/terminals/${atm}`
  await call('/terminals', admin, { id: atm, name: 'Main Street', currency: 'USD', units })
  const { exchange } = await call(`${at}/exchange`, admin, { action: 'start' })
  await call(`${at}/counts`, admin, { exchange, units: { C1: 0, C2: 0, C3: 0, D1: {}, R1: {} } })
  const loaded = { C1: 100, C2: 100, C3: 100 }
  await call(`${at}/exchange`, admin, { action: 'end', exchange, mode: 'set', loaded })
  await call(`${at}/state`, admin, { state: 'in_service', reason: 'filled' })
  const accounts = [{ account, type: 'checking', default: true }]
  await call('/cards', admin, { pan, expiry: '9912', accounts, pin_policy: 'if_present' })

  const bank = {
    /** As the machine asks: approved, begun, and confirmed with what is said. */
    async withdraw(id: string, amount: number, says: object): Promise<TerminalWithdrawal> {
      const path = `${at}/withdrawals`
      await call(path, machine, { id, pan, amount, currency: 'USD' })
      await call(`${path}/${id}/start`, machine, {})
      return (await call(`${path}/${id}/confirm`, machine, says)) as TerminalWithdrawal
    },
    /** Notes may have left, and the machine does not know which. */
    suspect: (id: string, amount: number) => bank.withdraw(id, amount, { units: {}, outcome: 'unknown' }),
    report: (id: string, units: object) => call(`${at}/withdrawals/${id}/confirm`, machine, { units }),
    async read(path: string) {
      const response = await fetch(`${server.url}/v1${path}`, {
        headers: { authorization: `Bearer ${admin}` },
      })
      const text = await response.text()
      assert.ok(response.ok, `${path} was answered ${response.status} ${text}`)
      return JSON.parse(text)
    },
    withdrawal: (id: string): Promise<TerminalWithdrawal> => bank.read(`${at}/withdrawals/${id}`),
    terminal: (): Promise<Terminal> => bank.read(at),
    ledger: async (number = account): Promise<number> => (await bank.read(`/accounts/${number}`)).ledger,
    async openExceptions(): Promise<Exception[]> {
      return (await bank.read('/exceptions?state=open')).exceptions
    },
    /** Somebody's own browser, who has signed in. */
    async browse(t: TestContext, who: Person, path: string, how: BrowserContextOptions = {}): Promise<Page> {
      const page = await openConsole(t, browser, server.url + path, how)
      await page.locator('[name="key"]').fill(keys[who])
      await page.keyboard.press('Enter')
      await page.waitForSelector('main h1:not(form h1)')
      return page
    },
  }
  return bank
}

/** What is read, without the marks that keep names and numbers in their own direction. */
export async function textOf(page: Page, selector: string): Promise<string> {
  const text = (await page.locator(selector).first().textContent()) ?? ''
  return text.replace(/[\u2066-\u2069]/g, '').replace(/\s+/g, ' ')
}

/** Waits until it says so. */
export async function sees(page: Page, selector: string, text: RegExp): Promise<void> {
  const until = Date.now() + 10_000
  let said = ''
  while (!text.test(said)) {
    assert.ok(Date.now() < until, `${selector} says ${text}, and not ${said}`)
    await page.waitForTimeout(50)
    if ((await page.locator(selector).count()) > 0) said = await textOf(page, selector)
  }
}

/** Resolves in the dialog that is open: by the answer's words, with this reason. */
export async function resolve(page: Page, answer: string, reason: string): Promise<void> {
  await page.locator('dialog .choice', { hasText: answer }).locator('[type="radio"]').check()
  await page.locator('dialog [name="reason"]').fill(reason)
  await page.locator('dialog [type="submit"]').click()
}

const axe = readFileSync(fileURLToPath(import.meta.resolve('axe-core/axe.min.js')), 'utf8')

/** What axe has against the page; the page must have been opened with `bypassCSP`. */
export async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axe)
  const { violations } = (await page.evaluate('axe.run()')) as {
    violations: { id: string; nodes: { target: string[] }[] }[]
  }
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.join(' ')).join(', ')}`)
}

/** What everything weighs that the page and the sign-in before it have loaded, as it came over the line. */
export async function weightOf(page: Page): Promise<number> {
  const sizes = (await page.evaluate(
    'performance.getEntries().filter(({ name }) => !name.includes("/v1/")).map((one) => one.encodedBodySize ?? 0)',
  )) as number[]
  return sizes.reduce((sum, size) => sum + size, 0)
}
