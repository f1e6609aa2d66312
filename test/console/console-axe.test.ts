/** Every page of the console for those who hear it, see little of it, or use no mouse: what axe has against it. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { Page } from 'playwright-core'
import { openBrowser } from './browser.ts'
import { confirm, maya, openBooks, press } from './console-books-support.ts'
import { openConsole, phone } from './console-support.ts'

const browser = await openBrowser()
after(() => browser?.close())

const pages = join(import.meta.dirname, '../../src/console/web/console/pages.ts')
const routes = [...readFileSync(pages, 'utf8').matchAll(/^ {2}route\((?:'([^']+)'|loginPath)/gm)].map(
  ([, path = '/console/login']) => path,
)
const axe = readFileSync(fileURLToPath(import.meta.resolve('axe-core/axe.min.js')), 'utf8')

/** By the browser's own clock: what arrives is seen through for a moment. */
const settledMs = 50

describe('axe finds nothing', { skip: browser === undefined && 'there is no Chromium here' }, async () => {
  if (browser === undefined) return
  const books = await openBooks({ after }, browser)
  const pan = '4242424242424242'
  const limits = { transaction_amount: 20_000, daily_amount: 10_000, daily_count: 9 }
  await books.open('AXE-1', 50_000, { limits, metadata: { name: 'Ines' } })
  const card = await books.cardOf('AXE-1', pan)
  const lost = await books.cardOf('AXE-1', '5555555555554444')
  await books.ask(`/cards/${lost}/block`, { status: 'lost', reason: 'in the sea' })
  await books.ask('/holds', { account: 'AXE-1', amount: 1_500, currency: 'USD', reference: 'hotel' })
  await books.ask('/accounts/555555555/state', { state: 'frozen', reason: 'a court said so' })
  const machine = await books.machine('ATM1')
  for (const [id, says] of [
    ['w1', { units: { C1: 1 } }],
    ['w2', { units: {}, outcome: 'unknown' }],
  ] as const) {
    await machine('', { id, pan, amount: 2_000, currency: 'USD' })
    await machine(`/${id}/start`, {})
    await machine(`/${id}/confirm`, says)
  }
  await machine('', { id: 'w3', pan, amount: 90_000, currency: 'USD' }).catch(() => {})
  const { exceptions } = (await books.read('/exceptions')) as { exceptions: { id: string }[] }
  await books.ask('/terminals/ATM1/close', { batch: 1 })

  /** Of every route, where it is looked at. */
  const looked: Readonly<Record<string, readonly string[]>> = {
    '/console': [''],
    '/console/search': ['?q=AXE', '?q=2000'],
    '/console/terminals': [''],
    '/console/terminals/:terminal': ['/console/terminals/ATM1'],
    '/console/terminals/:terminal/withdrawals': ['/console/terminals/ATM1/withdrawals'],
    '/console/terminals/:terminal/withdrawals/:withdrawal': [
      '/console/terminals/ATM1/withdrawals/w1',
      '/console/terminals/ATM1/withdrawals/w2',
    ],
    '/console/terminals/:terminal/batches': ['/console/terminals/ATM1/batches'],
    '/console/terminals/:terminal/batches/:batch': ['/console/terminals/ATM1/batches/1'],
    '/console/exceptions': [''],
    '/console/exceptions/:exception': [`/console/exceptions/${exceptions[0]?.id}`],
    '/console/accounts': ['', '?view=house', '?state=closed'],
    '/console/accounts/:account': [
      '/console/accounts/AXE-1',
      '/console/accounts/AXE-1?view=withdrawals',
      '/console/accounts/AXE-1?view=holds',
      '/console/accounts/555555555',
      '/console/accounts/ATM1.transit',
      '/console/accounts/cash:USD',
      '/console/accounts/nobody',
    ],
    '/console/accounts/:account/statement': [`/console/accounts/${maya}/statement`],
    '/console/cards': ['', '?last4=4242', '?last4=9999'],
    '/console/cards/:card': [`/console/cards/${card}`, `/console/cards/${lost}`],
    '/console/journal': ['', '?upto=1-3', '?view=blocks', '?view=blocks&to=2', '?view=acts'],
    '/console/live': [''],
    '/console/login': ['', '?why=idle'],
  }

  test('on any route that is left out here', () => {
    assert(routes.length > 8)
    assert.deepEqual(
      routes.filter((route) => looked[route] === undefined),
      [],
    )
  })

  for (const [colorScheme, viewport] of [
    ['light', { width: 1280, height: 720 }],
    ['dark', phone],
  ] as const) {
    const where = colorScheme === 'light' ? 'by day on a desk' : 'by night on a phone'
    const how = { colorScheme, viewport, bypassCSP: true }

    test(`on any page, ${where}`, async (t) => {
      const page = await books.as(t, 'admin', '/console/journal', how)
      await page.getByRole('button', { name: 'Verify' }).click()
      await page.getByText('The books prove').waitFor()
      for (const route of routes.filter((route) => route !== '/console/login'))
        for (const place of looked[route] ?? []) {
          const path = place.startsWith('/') ? place : route + place
          await goTo(page, path)
          await check(page, path)
        }
      const stranger = await openConsole(t, browser, `${books.url}/console/login?why=idle`, how)
      await check(stranger, 'login')
    })

    test(`in what is asked before something is done, ${where}`, async (t) => {
      const page = await books.as(t, 'admin', '/console/accounts/AXE-1', how)
      for (const name of ['Block', 'Freeze']) {
        await press(page, name)
        await check(page, `${name} an account`)
        await page.keyboard.press('Escape')
      }
      await press(page, 'Close')
      await page.locator('dialog [name="reason"]').fill('it is not empty')
      await page.locator('dialog [type="submit"]').click()
      await page.locator('dialog [role="alert"]').waitFor()
      await check(page, 'what is refused')
      await page.goto(`${books.url}/console/cards/${card}`)
      await press(page, 'Block')
      await check(page, 'Block a card')
      await confirm(page, 'to be seen')
      await check(page, 'a card that is blocked')
      await press(page, 'Unblock')
      await confirm(page, 'seen')
    })
  }
})

/** As back and forward do: the page stays loaded, and axe in it. */
async function goTo(page: Page, path: string): Promise<void> {
  await page.evaluate(`history.pushState(null, '', '${path}'); dispatchEvent(new PopStateEvent('popstate'))`)
  await page.locator('#console:not([aria-busy])').waitFor()
}

async function check(page: Page, what: string): Promise<void> {
  await page.locator('h1').waitFor()
  await page.locator('.loading').first().waitFor({ state: 'detached' })
  await page.waitForTimeout(settledMs)
  if (!(await page.evaluate('"axe" in window'))) await page.evaluate(axe)
  const { violations } = (await page.evaluate('axe.run({ resultTypes: ["violations"] })')) as {
    violations: { id: string; nodes: { target: string[] }[] }[]
  }
  const found = violations.map(
    ({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.join(' ')).join(', ')}`,
  )
  assert.deepEqual(found, [], what)
}
