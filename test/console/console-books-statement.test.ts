/** Statements at the console: they add up, can be printed and taken along, and no text in them does anything. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, describe, test } from 'node:test'
import { openBrowser } from './browser.ts'
import { maya, openBooks } from './console-books-support.ts'
import { phone, settled } from './console-support.ts'

const browser = await openBrowser()
after(() => browser?.close())

describe('statements', { skip: browser === undefined && 'there is no Chromium here' }, async () => {
  if (browser === undefined) return
  const books = await openBooks({ after }, browser)
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
    await books.ask('/accounts', { number: 'CSV-1', metadata: { name: hostile[0], note: hostile[1] } })
    for (const [i, reference] of hostile.entries()) await books.deposit('CSV-1', 100 + i, reference)
    await books.ask('/withdrawals', { account: 'CSV-1', amount: 250, currency: 'USD' })
    const page = await books.as(t, 'teller', '/console/accounts/CSV-1')
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
    // As wide as paper.
    await page.setViewportSize({ width: 700, height: 1000 })
    assert.equal(await page.locator('thead').isVisible(), true)
    assert.equal(await page.evaluate('document.documentElement.scrollWidth'), 700)
  })

  test('a statement of other days is another address, and a day in between is left out', async (t) => {
    const page = await books.as(
      t,
      'teller',
      '/console/accounts/CSV-1/statement?from=2020-01-01&to=2020-01-31',
    )
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
    const page = await books.as(t, 'admin', `/console/accounts/${maya}?lang=he`, { viewport: phone })
    const card = await books.cardOf(maya, '4111111111111111')
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
      await page.goto(`${books.url}/console${path}`)
      await page.locator('tbody tr').first().waitFor()
      assert.equal(await page.evaluate('document.documentElement.dir'), 'rtl')
      assert.equal(await page.evaluate('document.documentElement.scrollWidth'), phone.width, path)
    }
    await page.setViewportSize({ width: 1280, height: 720 })
    await page.goto(`${books.url}/console/accounts/${maya}`)
    await page.locator('tbody tr').first().waitFor()
    const [title, buttons] = [
      await page.locator('h1').boundingBox(),
      await page.locator('.head .actions').boundingBox(),
    ]
    assert(title && buttons && title.x > buttons.x)
    assert.match((await page.locator('h1').textContent()) ?? '', /חשבון/)
  })
})
