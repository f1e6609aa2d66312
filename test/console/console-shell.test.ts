/** The console's shell in a real browser, on a real server: finding one's way, coming in, and seeing what happens. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, describe, type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { Page } from 'playwright-core'
import { serve } from '../process/support.ts'
import { openBrowser } from './browser.ts'
import {
  directoryFor,
  type How,
  openConsole,
  phone,
  post,
  serveWithKeys,
  settled,
  standIn,
  until,
} from './console-support.ts'

const directory = directoryFor({ after })
const browser = await openBrowser()
after(() => browser?.close())

const pages = [
  ['/console', 'Overview'],
  ['/console/terminals', 'Terminals'],
  ['/console/exceptions', 'Exceptions'],
  ['/console/live', 'Live'],
  ['/console/search', 'Search'],
] as const

const unit = { id: 'C1', type: 'cash_out', value: 2_000 }

describe('the console', { skip: browser === undefined && 'there is no Chromium here' }, async () => {
  if (browser === undefined) return
  const demo = await serve({ after }, { path: join(directory, 'demo.db') })
  const closed = await serveWithKeys({ after }, join(directory, 'closed.db'))
  const open = (t: TestContext, path: string, how?: How) => openConsole(t, browser, demo.url + path, how)
  const stateOf = (terminal: string, state: string) =>
    post(demo.url, `/v1/terminals/${terminal}/state`, { state, reason: 'a test' })
  const pathOf = (page: Page) => new URL(page.url()).pathname + new URL(page.url()).search

  async function signIn(page: Page, key: string): Promise<void> {
    await page.getByLabel('API key').fill(key)
    await page.keyboard.press('Enter')
  }

  for (let i = 1; i <= 60; i += 1)
    await post(demo.url, '/v1/terminals', {
      id: `T${String(i).padStart(3, '0')}`,
      name: `No. ${i}`,
      currency: 'USD',
      units: [unit],
    })

  test('every page has an address, a title, a heading, and its place in the navigation', async (t) => {
    for (const [path, title] of pages) {
      const page = await open(t, path)
      await settled(page, title)
      assert.equal(await page.title(), `${title} · Cashpoint`)
      const current = await page.locator('[aria-current="page"]').allTextContents()
      assert.deepEqual(
        current.map((text) => text.trim()),
        title === 'Search' ? [] : [title],
      )
    }
    const page = await open(t, '/console/nowhere')
    await settled(page, 'There is no such page')
    assert.equal((await fetch(`${demo.url}/console/nowhere`)).status, 200)
  })

  test('back finds the page as it was left: scrolled, and the focus on the link', async (t) => {
    const page = await open(t, '/console/terminals')
    await settled(page, 'Terminals')
    await page.getByRole('link', { name: 'Next' }).click()
    await page.getByRole('link', { name: 'T060', exact: true }).waitFor()
    assert.match(pathOf(page), /^\/console\/terminals\?cursor=/)
    assert.equal(await page.getByRole('link', { name: 'T001', exact: true }).count(), 0)
    await page.getByRole('link', { name: 'Previous' }).click()
    await page.getByRole('link', { name: 'T001', exact: true }).waitFor()

    await page.goto(`${demo.url}/console/terminals`)
    await settled(page, 'Terminals')
    const link = page.getByRole('link', { name: 'T040', exact: true })
    await link.scrollIntoViewIfNeeded()
    const before = await page.evaluate('scrollY')
    assert(Number(before) > 300)
    await link.click()
    await settled(page, 'T040')
    assert.equal(await page.evaluate('scrollY'), 0)
    await page.goBack()
    await until(page, 'scrollY', before)
    await until(page, 'document.activeElement.textContent', 'T040')
    await page.goForward()
    await page.waitForURL('**/terminals/T040')
  })

  test('going somewhere puts the focus on its heading', async (t) => {
    const page = await open(t, '/console')
    await settled(page, 'Overview')
    await page
      .getByRole('navigation', { name: 'Sections' })
      .getByRole('link', { name: 'Terminals' })
      .press('Enter')
    await settled(page, 'Terminals')
    await until(page, 'document.activeElement.textContent', 'Terminals')
    await until(page, 'document.activeElement.tagName', 'H1')
  })

  test('a slash leads to the search box, and Enter to what is found', async (t) => {
    const page = await open(t, '/console/terminals')
    await settled(page, 'Terminals')
    await page.keyboard.press('/')
    await page.keyboard.type('60/today')
    assert.equal(await page.getByRole('searchbox').inputValue(), '60/today')
    await page.keyboard.press('Enter')
    await page.waitForURL('**/console/search?q=60%2Ftoday')
    await settled(page, '“60/today”')
  })

  test('a search shows all that it found, and goes at once to what is found alone', async (t) => {
    const page = await open(t, '/console/search?q=T00')
    await page.getByText('Nothing was found').waitFor()
    const search = async (text: string) => {
      await page.getByRole('searchbox').fill(text)
      await page.keyboard.press('Enter')
    }
    await search('555555555')
    await page.waitForURL('**/console/accounts/555555555')
    await page.goBack()
    await page.waitForURL('**/console/search?q=T00')
    await post(demo.url, '/v1/accounts', { number: '0119', currency: 'USD' })
    await search('0119')
    await settled(page, '“0119”')
    const kinds = await page.locator('tbody td:first-child').allTextContents()
    assert.deepEqual(kinds.map((text) => text.trim()).sort(), ['0119 Account', '••••\u00a00119 Card'])
    await search('4761 7390 0101 0143')
    await page.waitForURL('**/console/search?q=0143')
    await settled(page, '“0143”')
    assert.doesNotMatch(await page.content(), /4761/)
  })

  test('whoever is not signed in comes in with a key, and is where they wanted to go', async (t) => {
    const page = await openConsole(t, browser, `${closed.url}/console/live?kind=account`)
    await page.waitForURL('**/console/login?to=%2Fconsole%2Flive%3Fkind%3Daccount')
    await until(page, 'document.activeElement.name', 'key')
    await signIn(page, 'cp_wrong')
    assert.match((await page.getByRole('alert').textContent()) ?? '', /No credential has this key/)
    await signIn(page, closed.keys.operator)
    await settled(page, 'Live')
    assert.equal(pathOf(page), '/console/live?kind=account')
    assert.match((await page.locator('.who').textContent()) ?? '', /olga\s*Operator/)
    assert.equal(await page.locator('.band').count(), 0)
    const [cookie] = await page.context().cookies()
    assert.deepEqual([cookie?.httpOnly, cookie?.sameSite], [true, 'Strict'])

    await page.getByRole('button', { name: 'Sign out' }).click()
    await page.waitForURL('**/console/login')
    await settled(page, 'Sign in')
    await page.goto(`${closed.url}/console/terminals`)
    await page.waitForURL('**/console/login?to=%2Fconsole%2Fterminals')
  })

  test('the way back after signing in leads nowhere but into the console', async (t) => {
    for (const to of [
      '//evil.example/console',
      'https://evil.example/',
      '/docs',
      '/console/login',
      'javascript:alert(1)',
      'http://[',
    ]) {
      const page = await openConsole(t, browser, `${closed.url}/console/login?to=${encodeURIComponent(to)}`)
      await signIn(page, closed.keys.operator)
      await settled(page, 'Overview')
      assert.equal(pathOf(page), '/console', to)
    }
  })

  test('a role sees its sections, and words where it may not look', async (t) => {
    const page = await openConsole(t, browser, `${closed.url}/console`)
    await signIn(page, closed.keys.teller)
    await settled(page, 'Accounts')
    const sections = page.getByRole('navigation', { name: 'Sections' }).getByRole('link')
    await sections.first().waitFor()
    assert.deepEqual(
      (await sections.allTextContents()).map((text) => text.trim()),
      ['Accounts', 'Cards'],
    )
    await page.goto(`${closed.url}/console/terminals`)
    await page.getByText('Your role may not see this').waitFor()
  })

  test('a session that the server has ended leads to the key, in words, and back', async (t) => {
    const page = await openConsole(t, browser, `${closed.url}/console/terminals`)
    await signIn(page, closed.keys.operator)
    await settled(page, 'Terminals')
    // What is asked from now on is asked by the click.
    await page.locator('.line.open').waitFor()
    await page.context().clearCookies()
    await page.getByRole('navigation', { name: 'Sections' }).getByRole('link', { name: 'Overview' }).click()
    await page.getByText('Your session has ended').waitFor()
    await signIn(page, closed.keys.operator)
    await settled(page, 'Overview')
  })

  test('a credential that is revoked ends what is open under it at once', async (t) => {
    const made = await post(
      closed.url,
      '/v1/credentials',
      { role: 'operator', name: 'otto' },
      closed.keys.admin,
    )
    const page = await openConsole(t, browser, `${closed.url}/console/live`)
    await signIn(page, String(made['key']))
    await page.locator('.line.open').waitFor()
    await post(closed.url, `/v1/credentials/${made['id']}/revoke`, {}, closed.keys.admin)
    await page.getByText('Your session has ended').waitFor()
    await page.waitForURL('**/console/login?why=ended&to=%2Fconsole%2Flive')
  })

  test('who is gone for 15 minutes is signed out, and warned before', async (t) => {
    const page = await openConsole(t, browser, `${closed.url}/console/terminals`)
    await page.clock.install()
    await page.goto(`${closed.url}/console/terminals`)
    await signIn(page, closed.keys.operator)
    await settled(page, 'Terminals')
    await page.clock.fastForward('14:10')
    await page.getByText('within a minute you will be signed out').waitFor()
    await page.mouse.move(200, 200)
    await page.getByText('within a minute you will be signed out').waitFor({ state: 'detached' })
    await page.clock.fastForward('14:30')
    assert.equal(pathOf(page), '/console/terminals')
    await page.clock.fastForward('01:00')
    await page.getByText('nobody had touched the console for 15 minutes').waitFor()
    assert.equal((await page.request.get(`${closed.url}/v1/session`)).status(), 401)
  })

  test('the feed shows what happens, and goes on over a restart of the server', async (t) => {
    const { url, stop, start } = await standIn(t, { path: join(directory, 'restarted.db') })
    const page = await openConsole(t, browser, `${url}/console/live`, { breaks: true })
    await page.getByText('Live', { exact: true }).last().waitFor()
    await page.locator('.line.open').waitFor()
    const deposit = (amount: number) =>
      post(url, '/v1/deposits', { account: '123456789', amount, currency: 'USD' })
    const amounts = () => page.locator('.feed .how-much').allTextContents()
    await deposit(111)
    await page.getByText('$1.11').waitFor()
    await stop()
    await page.getByText(/No connection since/).waitFor()
    await start()
    await deposit(222)
    await page.getByText('$2.22').waitFor()
    await page.getByText(/nothing is missing/).waitFor()
    assert.deepEqual(
      (await amounts()).filter((text) => text !== ''),
      ['$2.22', '$1.11'],
    )
    await page.locator('.line.open').waitFor()
  })

  test('the feed can be held, and looked at by kind and by terminal', async (t) => {
    const page = await open(t, '/console/live')
    await page.locator('.line.open').waitFor()
    await page.getByRole('button', { name: 'Pause' }).click()
    await stateOf('ATM00001', 'out_of_service')
    await post(demo.url, '/v1/deposits', { account: '123456789', amount: 100, currency: 'USD' })
    await page.getByRole('button', { name: 'Go on (2 waiting)' }).click()
    await page.locator('.feed').getByText('Out of service').waitFor()
    assert.equal(await page.locator('.feed li').count(), 2)
    await page.getByLabel('Kind').selectOption('terminal')
    await page.waitForURL('**/console/live?kind=terminal')
    // The address is told a moment before the list is drawn anew.
    await page.locator('.feed li').nth(1).waitFor({ state: 'detached' })
    assert.equal(await page.locator('.feed li').count(), 1)
    await page.getByLabel('Terminal', { exact: true }).fill('T001')
    await page.keyboard.press('Enter')
    await page.waitForURL('**/console/live?kind=terminal&terminal=T001')
    await page.locator('.feed').waitFor({ state: 'detached' })
    await stateOf('ATM00001', 'in_service')
  })

  test('a page reads again what an event touched', async (t) => {
    const page = await open(t, '/console/terminals')
    const first = page.locator('tbody tr', { hasText: 'ATM00001' })
    await first.getByText('In service').waitFor()
    await stateOf('ATM00001', 'out_of_service')
    await first.getByText('Out of service').waitFor()
    await stateOf('ATM00001', 'in_service')
    await first.getByText('In service').waitFor()
  })

  test('the overview says that all is well, or what needs a person and where that is done', async (t) => {
    const page = await open(t, '/console')
    await page.getByRole('heading', { name: 'All is well' }).waitFor()
    const empty = Array.from({ length: 10 }, (_, i) => `T0${i + 10}`)
    for (const terminal of empty) await stateOf(terminal, 'in_service')
    await page.getByRole('heading', { name: 'Needs a person: 10' }).waitFor()
    assert.match((await page.locator('.numbers').textContent()) ?? '', /Machines in service\s*11\s*\/ 61/)
    const rows = page.locator('.attention li')
    assert.equal(await rows.count(), 8)
    await page.getByRole('button', { name: 'Show all 10' }).click()
    assert.equal(await rows.count(), 10)
    assert.match((await rows.first().textContent()) ?? '', /Nothing left to pay out\s*T01\d/)
    await rows
      .first()
      .getByRole('link', { name: /^Fill it/ })
      .click()
    await page.waitForURL(/\/console\/terminals\/T01\d$/)
    await page.goBack()
    for (const terminal of empty) await stateOf(terminal, 'out_of_service')
    await page.getByRole('heading', { name: 'All is well' }).waitFor()
  })

  test('names are text, whatever is in them', async (t) => {
    const server = await serve(t, { path: join(directory, 'names.db') })
    const name = '<img src=x onerror="document.title=1"><b>bold'
    await post(server.url, '/v1/terminals', { id: 'EVIL', name, currency: 'USD', units: [unit] })
    const page = await openConsole(t, browser, `${server.url}/console/terminals`, { breaks: true })
    await page.getByText(name).waitFor()
    assert.equal(await page.title(), 'Terminals · Cashpoint')
    assert.equal(await page.locator('main img').count(), 0)
  })

  test('in Hebrew it goes from right to left, and stays so from page to page', async (t) => {
    const page = await open(t, '/console/terminals')
    await settled(page, 'Terminals')
    await page.getByRole('link', { name: 'עברית' }).click()
    await settled(page, 'מכשירים')
    assert.equal(pathOf(page), '/console/terminals')
    assert.equal(await page.evaluate('document.documentElement.dir + document.documentElement.lang'), 'rtlhe')
    await page.goto(`${demo.url}/console`)
    await settled(page, 'מבט כללי')
    const [side, main] = [await page.locator('.side').boundingBox(), await page.locator('main').boundingBox()]
    assert(side && main && side.x > main.x)
  })

  test('on a phone nothing is wider than it, and the navigation folds', async (t) => {
    for (const language of ['', '?lang=he'])
      for (const [path] of pages) {
        const page = await open(t, path + language, { viewport: phone, hasTouch: true })
        await page.getByRole('heading', { level: 1 }).waitFor()
        await page.locator('.loading').first().waitFor({ state: 'detached' })
        assert.equal(
          await page.evaluate('document.documentElement.scrollWidth'),
          phone.width,
          path + language,
        )
      }
    const page = await open(t, '/console/terminals', { viewport: phone, hasTouch: true })
    const live = page.getByRole('navigation', { name: 'Sections' }).getByRole('link', { name: 'Live' })
    assert.equal(await live.isVisible(), false)
    await page.getByRole('button', { name: 'Menu' }).tap()
    await live.tap()
    await settled(page, 'Live')
    assert.equal(await live.isVisible(), false)
  })

  test('axe finds nothing, by day on a desk and by night on a phone', async (t) => {
    const axe = readFileSync(fileURLToPath(import.meta.resolve('axe-core/axe.min.js')), 'utf8')
    const check = async (page: Page, what: string) => {
      await page.evaluate(axe)
      const { violations } = (await page.evaluate('axe.run()')) as {
        violations: { id: string; nodes: { target: string[] }[] }[]
      }
      const found = violations.map(
        ({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.join(' ')).join(', ')}`,
      )
      assert.deepEqual(found, [], what)
    }
    for (const [colorScheme, viewport] of [
      ['light', { width: 1280, height: 720 }],
      ['dark', phone],
    ] as const) {
      const how = { colorScheme, viewport, bypassCSP: true }
      for (const [path, title] of pages) {
        const page = await open(t, path, how)
        await settled(page, title)
        await check(page, `${path}, ${colorScheme}`)
      }
      const page = await openConsole(t, browser, `${closed.url}/console/login?why=idle`, how)
      await settled(page, 'Sign in')
      await check(page, `login, ${colorScheme}`)
    }
  })

  test('each page weighs at most 60 KiB gzipped', async (t) => {
    for (const [path, title] of pages) {
      const context = await browser.newContext({ locale: 'en-US' })
      t.after(() => context.close())
      const page = await context.newPage()
      const weights: Promise<readonly [string, number]>[] = []
      page.on('requestfinished', (request) => {
        const { pathname } = new URL(request.url())
        if (pathname.startsWith('/v1/')) return
        weights.push(request.sizes().then(({ responseBodySize }) => [pathname, responseBodySize] as const))
      })
      await page.goto(demo.url + path)
      await settled(page, title)
      if (path === '/console') await page.locator('canvas').first().waitFor()
      await page.waitForLoadState('load')
      const files = await Promise.all(weights)
      const weight = files.reduce((sum, [, bytes]) => sum + bytes, 0)
      assert(weight <= 60 * 1024, `${path}: ${weight} bytes`)
      assert(files.length > 30, `${path}: ${files.length} files`)
      if (path === '/console') assert(files.some(([name]) => name.endsWith('/uplot.js')))
    }
  })
})
