/** The web ATM in a real browser, on a real server: what people do, and what the books say afterwards. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { BrowserContextOptions, Page } from 'playwright-core'
import { serve } from '../process/support.ts'
import { openBrowser, openPage } from './browser.ts'

const directory = mkdtempSync(join(tmpdir(), 'cashpoint-atm-'))
after(() => rmSync(directory, { recursive: true, force: true }))
const browser = await openBrowser()
after(() => browser?.close())

const phone = { width: 390, height: 844 }
const [maya, tom, ines] = ['123456789', '987654321', '555555555'] as const

/** `breaks`: connections are cut on purpose, which Chromium counts as errors. */
type How = BrowserContextOptions & { readonly query?: string; readonly breaks?: boolean }

describe('the web ATM', { skip: browser === undefined && 'there is no Chromium here' }, async () => {
  if (browser === undefined) return
  const server = await serve({ after }, { path: join(directory, 'cashpoint.db') })

  /** A page at the cash machine, which must end without an error and without a request to anybody else. */
  async function atm(t: TestContext, how: How = {}): Promise<Page> {
    const { query = '', breaks = false, ...context } = how
    const { page, errors, outside, close } = await openPage(
      browser as never,
      `${server.url}/atm${query}`,
      context,
    )
    t.after(async () => {
      await close()
      const broken = (text: string) => breaks && /net::ERR_CONNECTION_RESET/.test(text)
      assert.deepEqual(
        errors.filter((text) => !broken(text)),
        [],
      )
      assert.deepEqual(outside, [])
    })
    await page.waitForSelector('.card:not(:disabled)')
    return page
  }

  async function read(path: string) {
    return (await fetch(server.url + path)).json() as Promise<Record<string, unknown>>
  }

  const balance = async (account: string) => (await read(`/v1/accounts/${account}`))['ledger'] as number
  const inMachine = async () => (await read('/v1/terminals/ATM00001'))['cash'] as number
  const transit = async () =>
    ((await read('/v1/terminals/ATM00001'))['transit'] as { uncertain: number }).uncertain

  /** The withdrawal whose page in the console the story at the end leads to. */
  async function told(page: Page) {
    const href = (await page.locator('.told a').getAttribute('href')) ?? ''
    const { pathname, search } = new URL(href, server.url)
    assert.match(pathname, /^\/console\/terminals\/ATM00001\/withdrawals\/w-/)
    assert.equal(search, '?lang=en')
    return read(pathname.replace('/console/', '/v1/'))
  }

  const login = async (page: Page, card: number, pin = '1234') => {
    await page.locator('.card').nth(card).click()
    await page.keyboard.type(pin)
  }
  const over = (page: Page) => page.waitForSelector('.farewell')
  const verbs = (page: Page) => page.locator('.exchange .head > b').allTextContents()
  const story = (page: Page) => page.locator('.told p').first().textContent()

  test('three actions lead from a card to cash: the card, the PIN, the amount', async (t) => {
    const [before, notes] = [await balance(maya), await inMachine()]
    const page = await atm(t)
    await page.locator('.card').first().click()
    await page.keyboard.type('1234')
    await page.locator('[data-amount="60"]').click()
    await over(page)

    assert.equal(await page.locator('.screen h1').textContent(), '$60, there you are')
    assert.deepEqual(await page.locator('.note b').allTextContents(), ['50', '10'])
    assert.match((await page.locator('.receipt').textContent()) ?? '', /•••• 0119.*1×50 \+ 1×10.*\$60\.00/)
    assert.deepEqual(await verbs(page), ['authorize', 'start', 'confirm'])
    assert.equal(await page.locator('tbody tr').count(), 2)
    const { state, dispensed, units } = await told(page)
    assert.deepEqual(
      { state, dispensed, units },
      { state: 'completed', dispensed: 6_000, units: { C1: 1, C3: 1 } },
    )
    assert.deepEqual([await balance(maya), await inMachine()], [before - 6_000, notes - 6_000])
  })

  test('the keyboard alone does all of it, and the focus is where it must be', async (t) => {
    const before = await balance(maya)
    const page = await atm(t)
    const focused = () =>
      page.evaluate('document.activeElement.className + document.activeElement.textContent')
    assert.match(String(await focused()), /^card ocean/)
    await page.keyboard.press('Enter')
    assert.match(String(await focused()), /^keypad/)
    await page.keyboard.type('1234')
    assert.match(String(await focused()), /\$20$/)
    await page.keyboard.press('ArrowRight')
    assert.match(String(await focused()), /\$40$/)
    await page.keyboard.press('Enter')
    await over(page)
    assert.match(String(await focused()), /Take card$/)
    await page.keyboard.press('Enter')
    assert.match(String(await focused()), /^card ocean/)
    assert.equal(await balance(maya), before - 4_000)
    await page.keyboard.press('Enter')
    await page.keyboard.type('12')
    await page.keyboard.press('Escape')
    assert.match(String(await focused()), /^card ocean/)
  })

  test('cut the line after authorize: nothing is paid, and the money is back', async (t) => {
    const before = await balance(tom)
    const page = await atm(t)
    await page.locator('[data-fault="cut"]').click()
    await login(page, 1)
    await page.locator('[data-amount="60"]').click()
    await over(page)
    assert.match((await story(page)) ?? '', /never heard the yes.*\$60\.00 went back to Tom Berger/)
    assert.deepEqual(await verbs(page), ['authorize', 'reverse'])
    assert.equal(await page.locator('.note').count(), 0)
    assert.equal((await told(page))['state'], 'reversed')
    assert.equal(await balance(tom), before)
    // It was for one withdrawal.
    assert.equal(await page.locator('[data-fault="cut"]').getAttribute('aria-checked'), 'false')
  })

  for (const { found, choice, left } of [
    { found: 'the notes are found', choice: 0, left: 0 },
    { found: 'the notes are gone', choice: 1, left: 6_000 },
  ])
    test(`jam while dispensing: the money waits in transit, until ${found}`, async (t) => {
      const [before, notes] = [await balance(tom), await inMachine()]
      const page = await atm(t)
      await page.locator('[data-fault="jam"]').click()
      await login(page, 1)
      await page.locator('[data-amount="60"]').click()
      await over(page)
      assert.match((await story(page)) ?? '', /Nobody knows yet.*\$60\.00 of Tom Berger’s wait in transit/)
      assert.equal((await told(page))['state'], 'suspect')
      assert.deepEqual(
        [await balance(tom), await transit(), await inMachine()],
        [before - 6_000, 6_000, notes],
      )

      await page.locator('.then button').nth(choice).click()
      await page.waitForSelector('.told[data-mood="good"]')
      assert.equal((await told(page))['state'], left === 0 ? 'reversed' : 'completed')
      assert.deepEqual(
        [await balance(tom), await transit(), await inMachine()],
        [before - left, 0, notes - left],
      )
    })

  test('ask twice: the second answers are the first ones, and the money left once', async (t) => {
    const [before, notes] = [await balance(tom), await inMachine()]
    const page = await atm(t)
    await page.locator('[data-fault="twice"]').click()
    await login(page, 1)
    await page.locator('[data-amount="100"]').click()
    await over(page)
    assert.match((await story(page)) ?? '', /asked twice and done once.*to the byte.*\$100\.00 once/)
    assert.equal(await page.locator('.status').count(), 6)
    assert.equal(await page.locator('.status', { hasText: 'the same again' }).count(), 3)
    assert.deepEqual([await balance(tom), await inMachine()], [before - 10_000, notes - 10_000])
  })

  test('a line that really breaks while notes leave: the machine reports them when it is back', async (t) => {
    const [before, notes] = [await balance(tom), await inMachine()]
    const page = await atm(t, { breaks: true })
    let tries = 0
    await page.route('**/confirm', (route) => {
      tries += 1
      return tries <= 4 ? route.abort('connectionreset') : route.continue()
    })
    await login(page, 1)
    await page.locator('[data-amount="60"]').click()
    await page.getByText('No answer from the bank').waitFor()
    await over(page)
    assert.equal(tries, 5)
    assert.equal((await told(page))['state'], 'completed')
    assert.deepEqual([await balance(tom), await inMachine()], [before - 6_000, notes - 6_000])
  })

  test('an authorize that never arrives pays nothing, and comes too late afterwards', async (t) => {
    const before = await balance(tom)
    const page = await atm(t, { breaks: true })
    let sent = ''
    await page.route('**/withdrawals', (route) => {
      sent = route.request().postData() ?? ''
      return route.abort('connectionreset')
    })
    await login(page, 1)
    await page.locator('[data-amount="60"]').click()
    await over(page)
    assert.match((await story(page)) ?? '', /heard no answer.*nothing of the \$60\.00 is missing/)
    const late = await fetch(`${server.url}/v1/terminals/ATM00001/withdrawals`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: sent,
    })
    assert.deepEqual([late.status, ((await late.json()) as { code: string }).code], [409, 'already_reversed'])
    assert.equal(await balance(tom), before)
  })

  test('a wrong PIN asks again, three lock the card, and an administrator unlocks it', async (t) => {
    const before = await balance(ines)
    const page = await atm(t)
    await login(page, 2, '9999')
    await page.locator('[data-amount="20"]').click()
    await page.getByText('2 tries are left').waitFor()
    await page.keyboard.type('8888')
    await page.getByText('One try is left').waitFor()
    await page.keyboard.type('7777')
    await over(page)
    assert.match((await story(page)) ?? '', /the card is locked.*No money moved/)
    await page.locator('.then button').click()
    await page.getByText('has its three tries back').waitFor()
    await page.locator('.farewell .primary').click()
    await login(page, 2)
    await page.locator('[data-amount="20"]').click()
    await over(page)
    assert.equal(await balance(ines), before - 2_000)
  })

  test('an amount there are no notes for leads to the nearest ones', async (t) => {
    const page = await atm(t)
    await login(page, 1)
    await page.getByRole('button', { name: 'Other amount' }).click()
    await page.keyboard.type('65')
    await page.keyboard.press('Enter')
    await over(page)
    assert.deepEqual(await page.locator('.quick button').allTextContents(), ['$60', '$70'])
    const before = await balance(tom)
    await page.getByRole('button', { name: '$70' }).click()
    await page.waitForSelector('.receipt')
    assert.equal(await balance(tom), before - 7_000)
  })

  test('balance, mini statement, deposit, transfer and a new PIN, one after the other', async (t) => {
    const [before, other] = [await balance(ines), await balance(maya)]
    const page = await atm(t)
    const next = async (name: string) => {
      if (await page.locator('.farewell').isVisible()) await page.locator('.farewell button').nth(1).click()
      await page.locator('.more').getByRole('button', { name }).click()
    }
    await login(page, 2)
    await next('Balance')
    await over(page)
    assert.match((await page.locator('.figures').textContent()) ?? '', /Booked\$[\d,.]+Available\$[\d,.]+/)
    await next('Deposit notes')
    await page.getByRole('button', { name: 'One $50 note more' }).click()
    await page.getByRole('button', { name: 'One $20 note more' }).click()
    await page.locator('.screen .primary').click()
    await over(page)
    assert.equal(await balance(ines), before + 7_000)
    await next('Transfer')
    await page.locator('.list button', { hasText: 'Maya Levi' }).click()
    await page.keyboard.type('30')
    await page.keyboard.press('Enter')
    await over(page)
    assert.deepEqual([await balance(ines), await balance(maya)], [before + 4_000, other + 3_000])
    await next('Mini statement')
    await over(page)
    assert.match((await page.locator('.screen .entries li').first().textContent()) ?? '', /−\$30\.00/)
    await next('Change PIN')
    await page.keyboard.type('24682468')
    await over(page)
    assert.match((await page.locator('.sticky').textContent()) ?? '', /2468/)
    await next('Change PIN')
    await page.keyboard.type('12341234')
    await over(page)
    assert.match((await page.locator('.sticky').textContent()) ?? '', /1234/)
  })

  test('a curl line can be pasted, and finds what was done', async (t) => {
    const page = await atm(t)
    await login(page, 1)
    await page.locator('[data-amount="20"]').click()
    await over(page)
    const before = await balance(tom)
    const lines = await page.locator('.line code').allTextContents()
    assert.equal(lines.length, 3)
    const curl = promisify(execFile)
    for (const [i, line] of lines.entries()) {
      const { stdout } = await curl('sh', ['-c', line]).catch((error) => {
        if (error.code === 127) return { stdout: '' }
        throw error
      })
      if (stdout === '') return t.skip('there is no curl here')
      // No note may leave for a start that comes again: it is told what became of the first one.
      assert.equal(JSON.parse(stdout).state, ['authorized', 'completed', 'completed'][i], line)
    }
    assert.equal(await balance(tom), before)
  })

  test('the first view needs no scrolling on a desk, and no view goes beyond a phone', async (t) => {
    const sizeOf = (page: Page) =>
      page.evaluate(
        '[document.documentElement.scrollWidth, document.documentElement.scrollHeight]',
      ) as Promise<number[]>
    const desk = await atm(t)
    assert.deepEqual(await sizeOf(desk), [1280, 720])
    for (const query of ['', '?lang=he']) {
      const page = await atm(t, { viewport: phone, hasTouch: true, query })
      const noWider = async (what: string) => assert.equal((await sizeOf(page))[0], phone.width, query + what)
      await noWider('idle')
      await page.locator('.card').nth(1).tap()
      for (const digit of '1234') await page.locator(`[data-key="${digit}"]`).tap()
      await noWider('menu')
      await page.locator('[data-amount="60"]').tap()
      await over(page)
      await noWider('paid')
    }
  })

  test('in Hebrew the page goes from right to left', async (t) => {
    const page = await atm(t, { query: '?lang=he' })
    assert.equal(await page.evaluate('document.documentElement.dir + document.documentElement.lang'), 'rtlhe')
    assert.match((await page.locator('.screen h1').textContent()) ?? '', /כרטיס/)
    const [screen, keypad] = [
      await page.locator('.screen').boundingBox(),
      await page.locator('.keypad').boundingBox(),
    ]
    assert(screen && keypad && screen.x > keypad.x)
    assert.deepEqual((await page.locator('.keypad .digit').allTextContents()).slice(0, 3), ['1', '2', '3'])
  })

  test('axe finds nothing, by day on a desk and by night on a phone', async (t) => {
    const axe = readFileSync(fileURLToPath(import.meta.resolve('axe-core/axe.min.js')), 'utf8')
    const desk = { width: 1280, height: 720 }
    for (const [colorScheme, viewport] of [
      ['light', desk],
      ['dark', phone],
    ] as const) {
      const page = await atm(t, { colorScheme, viewport, bypassCSP: true })
      await page.evaluate(axe)
      const check = async (what: string) => {
        // What arrives is seen through for a moment.
        await page.waitForTimeout(50)
        const { violations } = (await page.evaluate('axe.run()')) as {
          violations: { id: string; nodes: { target: string[] }[] }[]
        }
        const found = violations.map(
          ({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.join(' ')).join(', ')}`,
        )
        assert.deepEqual(found, [], `${what}, ${colorScheme}, ${viewport.width}`)
      }
      await check('idle')
      await page.keyboard.press('Enter')
      await page.keyboard.type('12')
      await check('pin')
      await page.keyboard.type('34')
      await check('menu')
      await page.locator('[data-amount="20"]').click()
      await over(page)
      await check('paid')
    }
  })
})
