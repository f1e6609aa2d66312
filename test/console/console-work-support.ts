/** A real server outside demo mode with a machine in service, people with credentials, and their browsers at the console. */
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import type { Exception, Terminal, TerminalWithdrawal } from '../../src/client/types.ts'
import { type Scope, serve } from '../process/support.ts'
import { openPage } from './browser.ts'

export const atm = 'ATM00007'
/** One of those that a new store has. */
export const account = '123456789'
const pan = '4761739001010143'

const units = [
  { id: 'C1', type: 'cash_out', value: 5_000, low: 20 },
  { id: 'C2', type: 'cash_out', value: 2_000, low: 20 },
  { id: 'C3', type: 'cash_out', value: 1_000, low: 20 },
  { id: 'D1', type: 'cash_in' },
  { id: 'R1', type: 'reject' },
]
const people = { olga: 'operator', ben: 'operator', ira: 'auditor' } as const
type Person = keyof typeof people

export type Bank = Awaited<ReturnType<typeof openBank>>

export async function openBank(scope: Scope, browser: Browser) {
  const directory = mkdtempSync(join(tmpdir(), 'cashpoint-console-'))
  const server = await serve(scope, { path: join(directory, 'cashpoint.db') })
  scope.after(() => rmSync(directory, { recursive: true, force: true }))
  let sent = 0
  const call = async (path: string, key: string | undefined, body?: object) => {
    sent += 1
    const response = await fetch(`${server.url}/v1${path}`, {
      ...(body && { method: 'POST', body: JSON.stringify(body) }),
      headers: {
        ...(body && { 'content-type': 'application/json', 'idempotency-key': `k${sent}` }),
        ...(key !== undefined && { authorization: `Bearer ${key}` }),
      },
    })
    const text = await response.text()
    assert.ok(response.ok, `${path} was answered ${response.status} ${text}`)
    return JSON.parse(text)
  }
  const credential = async (role: string, name: string, by?: string): Promise<string> =>
    (await call('/credentials', by, { role, name })).key
  const admin = await credential('admin', 'ada')
  const machine = await credential('terminal', atm, admin)
  const keys = {} as Record<Person, string>
  for (const [name, role] of Object.entries(people))
    keys[name as Person] = await credential(role, name, admin)

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
    url: server.url,
    /** As the machine asks: approved, begun, and confirmed with what is said, if anything is. */
    async withdraw(id: string, amount: number, says?: object): Promise<TerminalWithdrawal> {
      const path = `${at}/withdrawals`
      await call(path, machine, { id, pan, amount, currency: 'USD' })
      const started = await call(`${path}/${id}/start`, machine, {})
      return says === undefined ? started : call(`${path}/${id}/confirm`, machine, says)
    },
    /** Notes may have left, and the machine does not know which. */
    suspect: (id: string, amount: number) => bank.withdraw(id, amount, { units: {}, outcome: 'unknown' }),
    report: (id: string, units: object) => call(`${at}/withdrawals/${id}/confirm`, machine, { units }),
    read: (path: string) => call(path, admin),
    withdrawal: (id: string): Promise<TerminalWithdrawal> => bank.read(`${at}/withdrawals/${id}`),
    terminal: (): Promise<Terminal> => bank.read(at),
    ledger: async (number = account): Promise<number> => (await bank.read(`/accounts/${number}`)).ledger,
    async openExceptions(): Promise<Exception[]> {
      return (await bank.read('/exceptions?state=open')).exceptions
    },
    /** Somebody's own browser, who has signed in. Must end without an error and without a request to anybody else. */
    async browse(t: TestContext, who: Person, path: string, how: BrowserContextOptions = {}): Promise<Page> {
      const { page, errors, outside, close } = await openPage(browser, `${server.url}${path}`, how)
      t.after(async () => {
        await close()
        assert.deepEqual(errors, [])
        assert.deepEqual(outside, [])
      })
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
