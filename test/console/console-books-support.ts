/** Books with people who may look at them: a real server outside demo mode, and somebody's browser at its console. */
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import type { Scope } from '../process/support.ts'
import { directoryFor, type How, openConsole, post, serveWithKeys } from './console-support.ts'

/** One of those that a new store has. */
export const maya = '123456789'

export type Books = Awaited<ReturnType<typeof openBooks>>

export async function openBooks(scope: Scope, browser: Browser) {
  const server = await serveWithKeys(scope, join(directoryFor(scope), 'books.db'))
  const { admin } = server.keys
  const ask = (path: string, body: object, key = admin) => post(server.url, `/v1${path}`, body, key)
  const auditor = String((await ask('/credentials', { role: 'auditor', name: 'ira' }))['key'])
  const keys = { ...server.keys, auditor }

  const books = {
    url: server.url,
    keys,
    /** As an administrator, unless another key is given. */
    ask,
    async read(path: string): Promise<Record<string, unknown>> {
      const response = await fetch(`${server.url}/v1${path}`, {
        headers: { authorization: `Bearer ${admin}` },
      })
      return (await response.json()) as Record<string, unknown>
    },
    deposit: (account: string, amount: number, reference?: string) =>
      ask('/deposits', { account, amount, currency: 'USD', ...(reference && { reference }) }),
    /** An account with so much on it. */
    async open(number: string, amount: number, more: object = {}): Promise<void> {
      await ask('/accounts', { number, ...more })
      await books.deposit(number, amount)
    },
    async cardOf(account: string, pan: string): Promise<string> {
      const accounts = [{ account, type: 'checking', default: true }]
      const card = { pan, expiry: '9912', accounts, pin_policy: 'if_present' }
      return String((await ask('/cards', card))['id'])
    },
    /** A machine in service with notes in it; gives how it speaks of withdrawals. */
    async machine(id: string): Promise<(path: string, body: object) => Promise<unknown>> {
      const at = `/terminals/${id}`
      const units = [{ id: 'C1', type: 'cash_out', value: 2_000 }]
      await ask('/terminals', { id, name: 'Main', currency: 'USD', units })
      const { exchange } = await ask(`${at}/exchange`, { action: 'start' })
      await ask(`${at}/counts`, { exchange, units: { C1: 0 } })
      await ask(`${at}/exchange`, { action: 'end', exchange, mode: 'set', loaded: { C1: 100 } })
      await ask(`${at}/state`, { state: 'in_service', reason: 'filled' })
      const key = String((await ask('/credentials', { role: 'terminal', name: id }))['key'])
      return (path, body) => ask(`${at}/withdrawals${path}`, body, key)
    },
    /** A page as somebody sees it who has signed in. */
    async as(t: TestContext, who: keyof typeof keys, path: string, how?: How): Promise<Page> {
      const page = await openConsole(t, browser, server.url + path, how)
      await page.locator('[name="key"]').fill(keys[who])
      await page.keyboard.press('Enter')
      await page.locator('main h1:not(form h1)').waitFor()
      return page
    },
  }
  return books
}

/** The rows of the list that a page ends with. */
export function rowsOf(page: Page) {
  return page.locator('main > .panel:last-of-type tbody tr')
}

/** What can be done about the thing that the page is of. */
export function actionsOf(page: Page): Promise<string[]> {
  return page.locator('.head .actions .button').allTextContents()
}

export function viewsOf(page: Page): Promise<string[]> {
  return page.locator('.tabs a').allTextContents()
}

/** Waits until the thing that the page is of is in this state. */
export function stateIs(page: Page, text: string): Promise<void> {
  return page.locator('.title .badge', { hasText: text }).waitFor()
}

export function press(page: Page, name: string): Promise<void> {
  return page.locator('.head').getByRole('button', { name }).click()
}

/** Says yes in the dialog that is open, with this reason. */
export async function confirm(page: Page, reason: string): Promise<void> {
  await page.locator('dialog [name="reason"]').fill(reason)
  await page.locator('dialog [type="submit"]').click()
  await page.locator('dialog').waitFor({ state: 'detached' })
}
