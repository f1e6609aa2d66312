/** Accounts and cards at the console, in a real browser on a real server: what people with credentials see and do. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, describe, type TestContext, test } from 'node:test'
import type { Page } from 'playwright-core'
import { openBrowser } from './browser.ts'
import {
  directoryFor,
  type How,
  openConsole,
  phone,
  post,
  serveWithKeys,
  settled,
} from './console-support.ts'

const directory = directoryFor({ after })
const browser = await openBrowser()
after(() => browser?.close())

const maya = '123456789'
const pan = '4761739001010143'

describe('accounts and cards', { skip: browser === undefined && 'there is no Chromium here' }, async () => {
  if (browser === undefined) return
  const server = await serveWithKeys({ after }, join(directory, 'books.db'))
  const admin = server.keys.admin
  const ask = (path: string, body: object) => post(server.url, `/v1${path}`, body, admin)
  const auditor = String((await ask('/credentials', { role: 'auditor', name: 'ira' }))['key'])
  const keys = { ...server.keys, auditor }

  const read = async (path: string): Promise<Record<string, unknown>> => {
    const response = await fetch(server.url + path, { headers: { authorization: `Bearer ${admin}` } })
    return (await response.json()) as Record<string, unknown>
  }
  const deposit = (account: string, amount: number, reference?: string) =>
    ask('/deposits', { account, amount, currency: 'USD', ...(reference && { reference }) })
  const open = async (number: string, amount: number) => {
    await ask('/accounts', { number })
    await deposit(number, amount)
  }
  const cardOf = async (account: string, digits = pan) => {
    const accounts = [{ account, type: 'checking', default: true }]
    return String((await ask('/cards', { pan: digits, expiry: '9912', accounts }))['id'])
  }

  /** A page as somebody sees it who has signed in. */
  async function as(t: TestContext, who: keyof typeof keys, path: string, how?: How): Promise<Page> {
    const page = await openConsole(t, browser as never, server.url + path, how)
    await page.locator('[name="key"]').fill(keys[who])
    await page.keyboard.press('Enter')
    await page.locator('main h1:not(form h1)').waitFor()
    return page
  }

  /** What can be pressed about the thing that the page is of. */
  const actions = (page: Page) => page.locator('.head .actions .button').allTextContents()
  const press = (page: Page, name: string) => page.locator('.head').getByRole('button', { name }).click()
  const confirm = async (page: Page, reason: string) => {
    await page.locator('dialog [name="reason"]').fill(reason)
    await page.locator('dialog [type="submit"]').click()
    await page.locator('dialog').waitFor({ state: 'detached' })
  }
  const stateIs = (page: Page, text: string) => page.locator('.title .badge', { hasText: text }).waitFor()

  /** Over the original route, by a teller. */
  const withdraw = async (account: string, amount: string) => {
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${keys.teller}` }
    const body = `{"amount": ${amount}}`
    const response = await fetch(`${server.url}/accounts/${account}/withdraw`, {
      method: 'POST',
      headers,
      body,
    })
    return [response.status, ((await response.json()) as Record<string, unknown>)['code']]
  }

  test('an operator freezes an account with a reason: nothing leaves it until it is unfrozen', async (t) => {
    const page = await as(t, 'operator', `/console/accounts/${maya}`)
    await settled(page, /Account .*123456789/)
    await stateIs(page, 'Active')
    await press(page, 'Freeze')
    await page.locator('dialog [type="submit"]').click()
    assert.equal(await page.locator('dialog').count(), 1, 'not without a reason')
    await confirm(page, 'she says she was robbed')
    await stateIs(page, 'Frozen')
    assert.match((await page.locator('.toasts').textContent()) ?? '', /The account is frozen/)
    assert.deepEqual(await withdraw(maya, '1.00'), [400, 'account_frozen'])
    const { acts } = (await read('/v1/audit?limit=1')) as { acts: Record<string, unknown>[] }
    const { actor_name, action, details } = acts[0] ?? {}
    assert.deepEqual([actor_name, action], ['olga', 'account_changed'])
    const { account, state, reason } = details as Record<string, unknown>
    assert.deepEqual([account, state, reason], [maya, 'frozen', 'she says she was robbed'])

    assert.deepEqual(await actions(page), ['Statement', 'Unfreeze', 'Close'])
    await press(page, 'Unfreeze')
    await confirm(page, 'found at home')
    await stateIs(page, 'Active')
    assert.deepEqual(await withdraw(maya, '1.00'), [200, undefined])
  })

  test('money is refused in one direction only, and an account with money on it is not closed', async (t) => {
    await open('B-1', 5_000)
    const page = await as(t, 'operator', '/console/accounts/B-1')
    await stateIs(page, 'Active')
    await press(page, 'Block')
    await page.getByLabel(/What comes in/).check()
    await confirm(page, 'no more of it')
    await stateIs(page, 'Credits blocked')
    assert.deepEqual(await withdraw('B-1', '1.00'), [200, undefined])
    await press(page, 'Unblock')
    await confirm(page, 'again')
    await stateIs(page, 'Active')

    await press(page, 'Close')
    await page.locator('dialog [name="reason"]').fill('moved away')
    await page.locator('dialog [type="submit"]').click()
    assert.match((await page.locator('dialog [role="alert"]').textContent()) ?? '', /balance of zero/)
    assert.deepEqual(await withdraw('B-1', '49.00'), [200, undefined])
    await page.locator('dialog [type="submit"]').click()
    await stateIs(page, 'Closed')
    assert.deepEqual(await actions(page), ['Statement'])
  })

  test('a page is right while others do things', async (t) => {
    await open('B-2', 5_000)
    const page = await as(t, 'operator', '/console/accounts/B-2')
    await settled(page, /B-2/)
    await page.locator('.line', { hasText: 'Live' }).waitFor()
    await ask('/holds', { account: 'B-2', amount: 1_200, currency: 'USD', reference: 'hotel' })
    await page.locator('.tiles', { hasText: 'Available$38.00' }).waitFor()
    assert.match((await page.locator('.tiles').textContent()) ?? '', /Held\$12\.00in 1 hold/)
    await page.locator('section', { hasText: 'hotel' }).first().waitFor()
    await deposit('B-2', 100)
    await page.locator('.tiles', { hasText: 'Available$39.00' }).waitFor()
    await page.locator('tr', { hasText: '+$1.00' }).waitFor()
  })

  test('limits show what the business day has used of them', async (t) => {
    const limits = { transaction_amount: 5_000, daily_amount: 8_000, daily_count: 4 }
    await ask('/accounts', { number: 'B-3', limits })
    await deposit('B-3', 20_000)
    await ask('/withdrawals', { account: 'B-3', amount: 5_000, currency: 'USD' })
    await ask('/withdrawals', { account: 'B-3', amount: 2_000, currency: 'USD' })
    const page = await as(t, 'operator', '/console/accounts/B-3')
    await page.getByRole('meter').first().waitFor()
    const meters = await page
      .getByRole('meter')
      .evaluateAll((all) => all.map((one) => one.getAttribute('aria-valuetext')))
    assert.deepEqual(meters, ['$70.00 of $80.00', '2 of 4'])
    assert.match((await page.locator('.limits').textContent()) ?? '', /one transaction\s*\$50\.00/)
  })

  test('each role sees what it may do, and is refused the rest', async (t) => {
    const card = await cardOf(maya)
    const sections = (page: Page) =>
      page.getByRole('navigation', { name: 'Sections' }).getByRole('link').allTextContents()
    const views = (page: Page) => page.locator('.tabs a').allTextContents()
    const ofAccount = ['Block', 'Freeze', 'Close']
    const atMachines = 'Withdrawals at machines'
    for (const [role, may] of Object.entries({
      teller: { account: [], views: ['Entries', 'Holds'], card: ['Block'], journal: [] },
      auditor: {
        account: [],
        views: ['Entries', atMachines, 'Holds'],
        card: [],
        journal: ['Records', 'Who did what'],
      },
      operator: {
        account: ofAccount,
        views: ['Entries', atMachines, 'Holds'],
        card: ['Block'],
        journal: ['Records'],
      },
      admin: {
        account: ofAccount,
        views: ['Entries', atMachines, 'Holds'],
        card: ['Block'],
        journal: ['Records', 'Who did what'],
      },
    })) {
      const page = await as(t, role as keyof typeof keys, `/console/accounts/${maya}`)
      await page.locator('.tabs').waitFor()
      assert.deepEqual(await actions(page), ['Statement', ...may.account], role)
      assert.deepEqual(await views(page), may.views, role)
      assert.equal((await sections(page)).includes('Journal'), role !== 'teller', role)
      await page.goto(`${server.url}/console/cards/${card}`)
      await page.locator('.title .badge').waitFor()
      assert.deepEqual(await actions(page), may.card, role)
      await page.goto(`${server.url}/console/journal`)
      await settled(page, 'Journal')
      assert.deepEqual(await views(page), may.journal, role)
      assert.equal(
        await page.getByRole('button', { name: 'Verify' }).count(),
        role === 'teller' ? 0 : 1,
        role,
      )
      assert.equal(
        await page.getByText('Your role may not see this').count(),
        role === 'teller' ? 1 : 0,
        role,
      )
    }
    // What is hidden is refused as well.
    const page = await as(t, 'teller', `/console/accounts/${maya}`)
    const status = await page.evaluate(async (path) => {
      const body = JSON.stringify({ state: 'frozen', reason: 'I want to' })
      const headers = { 'content-type': 'application/json', 'idempotency-key': 'mine' }
      return (await fetch(path, { method: 'POST', headers, body })).status
    }, `/v1/accounts/${maya}/state`)
    assert.equal(status, 403)
  })

  test('a card is blocked with a reason, unblocked by an administrator, and lost for ever', async (t) => {
    const card = await cardOf(maya, '5555555555554444')
    const statusOf = async () => (await read(`/v1/cards/${card}`))['status']
    const page = await as(t, 'operator', `/console/cards/${card}`)
    await stateIs(page, 'Active')
    await press(page, 'Block')
    await confirm(page, 'left in a taxi')
    await stateIs(page, 'Blocked')
    assert.equal(await statusOf(), 'blocked')
    assert.deepEqual(await actions(page), ['Block'], 'an operator does not unblock')
    assert.doesNotMatch(await page.content(), /5555555555554444/)

    const other = await as(t, 'admin', `/console/cards/${card}`)
    await stateIs(other, 'Blocked')
    await press(other, 'Unblock')
    await confirm(other, 'the driver brought it')
    await stateIs(other, 'Active')
    await stateIs(page, 'Active')
    await press(other, 'Block')
    await other.getByLabel(/Lost/).check()
    await confirm(other, 'lost again')
    await stateIs(other, 'Lost')
    assert.deepEqual(await actions(other), [])
    assert.equal(await statusOf(), 'lost')
  })

  test('the list of cards, by status', async (t) => {
    const card = await cardOf(maya, '4000000000000002')
    await ask(`/cards/${card}/block`, { status: 'stolen', reason: 'a bag' })
    const page = await as(t, 'teller', '/console/cards')
    await settled(page, 'Cards')
    await page.getByRole('link', { name: '•••• 0002' }).waitFor()
    await page.getByLabel('Status').selectOption('stolen')
    await page.waitForURL('**/console/cards?status=stolen')
    await page.locator('tbody tr:only-child').waitFor()
    await page.getByRole('link', { name: '•••• 0002' }).click()
    await settled(page, /Card .*0002/)
    await page.goBack()
    assert.equal(await page.getByLabel('Status').inputValue(), 'stolen')
  })

  test('accounts: by number a page at a time, by state and currency, each view with an address', async (t) => {
    const numbers = Array.from({ length: 120 }, (_, i) => `L-${String(i).padStart(3, '0')}`)
    await Promise.all(
      numbers.map((number) => ask('/accounts', { number, currency: number === 'L-007' ? 'JPY' : 'USD' })),
    )
    await ask('/accounts/L-005/state', { state: 'debit_blocked', reason: 'a test' })
    const page = await as(t, 'teller', '/console/accounts')
    await settled(page, 'Accounts')
    const names = () => page.locator('tbody a').allTextContents()
    const start = await names()
    await page.getByRole('link', { name: 'Next' }).click()
    await page.waitForURL('**/console/accounts?cursor=*')
    const [first = ''] = start
    await page.getByRole('link', { name: first, exact: true }).waitFor({ state: 'detached' })
    const next = await names()
    assert.equal(next.length, 50)
    assert.deepEqual([...start, ...next].toSorted(), [...new Set([...start, ...next])])
    await page.getByRole('link', { name: 'Previous' }).click()
    await page.getByRole('link', { name: first, exact: true }).waitFor()

    await page.getByLabel('State').selectOption('debit_blocked')
    await page.locator('tbody tr:only-child', { hasText: 'L-005' }).waitFor()
    await page.getByLabel('State').selectOption('')
    await page.getByLabel('Currency').fill('jpy')
    await page.keyboard.press('Enter')
    await page.waitForURL('**/console/accounts?currency=JPY')
    await page.locator('tbody tr:only-child', { hasText: 'L-007' }).waitFor()
    await page.getByLabel('Account number').fill('L-042')
    await page.keyboard.press('Enter')
    await settled(page, /Account .*L-042/)
    await page.goto(`${server.url}/console/accounts?view=house`)
    await page.getByRole('link', { name: 'cash:USD' }).click()
    await settled(page, /cash:USD/)
    await page.locator('tbody tr').first().waitFor()
    assert.deepEqual(await actions(page), [])
    await page.goto(`${server.url}/console/accounts/nobody`)
    await page.getByText('There is nothing here').waitFor()
  })

  test('entries say what they were, lead to the other side, and go back in pages and by days', async (t) => {
    await ask('/transfers', { from: maya, to: 'B-2', amount: 300, currency: 'USD', reference: 'rent' })
    for (let i = 1; i <= 40; i += 1) await deposit('B-2', i)
    const page = await as(t, 'teller', '/console/accounts/B-2')
    await settled(page, /B-2/)
    const rows = page.locator('main > .panel:last-of-type tbody tr')
    await rows.first().waitFor()
    assert.match((await rows.first().textContent()) ?? '', /Deposit.*cash:USD.*\+\$0\.40/)
    assert.equal(await rows.count(), 30)
    await page.getByRole('link', { name: 'Next' }).click()
    const rent = rows.filter({ hasText: 'rent' })
    await rent.waitFor()
    assert.match((await rent.textContent()) ?? '', /Transfer.*\+\$3\.00/)
    await page.reload()
    await rent.waitFor()
    await rent.getByRole('link', { name: maya }).click()
    await settled(page, /123456789/)
    assert.match((await rows.filter({ hasText: 'rent' }).textContent()) ?? '', /B-2.*−\$3\.00/)

    await page.getByLabel('To', { exact: true }).fill('2020-01-01')
    await page.waitForURL('**?to=2020-01-01')
    await page.getByText('Nothing was posted then').waitFor()
    await page.getByRole('link', { name: 'Any time' }).click()
    await rows.first().waitFor()
  })

  const hostile = [
    '=HYPERLINK("http://evil.example","x")',
    '<img src=x onerror="window.pwned = 1">',
    '+1+1',
    '-2',
    '@SUM(A1)',
    '\t=1',
    'a, "b"',
  ]

  test('a statement adds up, can be printed, and its CSV is inert', async (t) => {
    await ask('/accounts', { number: 'CSV-1', metadata: { name: hostile[0], note: hostile[1] } })
    for (const [i, reference] of hostile.entries()) await deposit('CSV-1', 100 + i, reference)
    await ask('/withdrawals', { account: 'CSV-1', amount: 250, currency: 'USD' })
    const page = await as(t, 'teller', '/console/accounts/CSV-1')
    await settled(page, /CSV-1/)
    await page
      .getByText(hostile[1] ?? '')
      .first()
      .waitFor()
    await page.getByRole('link', { name: 'Statement' }).click()
    await settled(page, /Statement of account .*CSV-1/)
    const tiles = await page.locator('.tiles').textContent()
    assert.match(tiles ?? '', /Opening balance\$0\.00In\$7\.21Out\$2\.50Closing balance\$4\.71/)
    for (const text of hostile)
      assert.equal((await page.locator('td bdi', { hasText: text.trim() }).count()) > 0, true, text)
    assert.deepEqual(await page.evaluate('[document.images.length, window.pwned]'), [0, undefined])

    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Download CSV' }).click(),
    ])
    assert.match(download.suggestedFilename(), /^statement-CSV-1-\d{4}-\d\d-01-\d{4}-\d\d-\d\d\.csv$/)
    const csv = readFileSync((await download.path()) ?? '', 'utf8')
    const lines = csv.split('\r\n')
    assert.equal(lines[0], '\ufeffWhen,What,Reference,Transfer,Out,In,Balance,Currency')
    assert.equal(lines[1], ',Opening balance,,,,,0.00,USD')
    assert.match(
      lines[2] ?? '',
      /^20.*Z,Deposit,"'=HYPERLINK\(""http:\/\/evil\.example"",""x""\)",1-\d+,,1\.00,1\.00,USD$/,
    )
    assert.match(lines[9] ?? '', /^20.*Z,Withdrawal,,1-\d+,2\.50,,4\.71,USD$/)
    assert.equal(lines[10], ',Closing balance,,,,,4.71,USD')
    for (const begins of ["'+1+1", "'-2", "'@SUM", "'\t=1"]) assert(csv.includes(`Deposit,${begins}`), begins)
    assert.doesNotMatch(csv, /(^|,|")[=+@\t]/m)

    await page.emulateMedia({ media: 'print' })
    for (const hidden of ['.side', '.top', '.filters', '.head .actions'])
      assert.equal(await page.locator(hidden).isVisible(), false, hidden)
    assert.equal(await page.locator('table').isVisible(), true)
  })

  test('a statement of other days is another address, and a day in between is left out', async (t) => {
    const page = await as(t, 'teller', '/console/accounts/CSV-1/statement?from=2020-01-01&to=2020-01-31')
    await page.getByText('Nothing was posted in this time').waitFor()
    await page.getByLabel('To', { exact: true }).fill(new Date().toISOString().slice(0, 10))
    await page.locator('tbody tr').first().waitFor()
    assert.match(page.url(), /from=2020-01-01&to=20[^&]+$/)
    await page.getByLabel('From', { exact: true }).fill('2020-01-02')
    await page.waitForURL(/from=2020-01-02/)
    await page.reload()
    await page.locator('tbody tr').first().waitFor()
    assert.equal(await page.getByLabel('From', { exact: true }).inputValue(), '2020-01-02')
  })

  test('in Hebrew it goes from right to left, and no page is wider than a phone', async (t) => {
    const page = await as(t, 'admin', `/console/accounts/${maya}?lang=he`, { viewport: phone })
    const card = await cardOf(maya, '4111111111111111')
    for (const path of [
      '/accounts',
      '/accounts?view=house',
      `/accounts/${maya}`,
      `/accounts/${maya}/statement`,
      '/accounts/CSV-1',
      '/cards',
      `/cards/${card}`,
      '/journal',
      '/journal?view=acts',
    ]) {
      await page.goto(`${server.url}/console${path}`)
      await page.locator('tbody tr').first().waitFor()
      assert.equal(await page.evaluate('document.documentElement.dir'), 'rtl')
      assert.equal(await page.evaluate('document.documentElement.scrollWidth'), phone.width, path)
    }
    await page.setViewportSize({ width: 1280, height: 720 })
    await page.goto(`${server.url}/console/accounts/${maya}`)
    await page.locator('tbody tr').first().waitFor()
    const [title, buttons] = [
      await page.locator('h1').boundingBox(),
      await page.locator('.head .actions').boundingBox(),
    ]
    assert(title && buttons && title.x > buttons.x)
    assert.match((await page.locator('h1').textContent()) ?? '', /חשבון/)
  })
})
