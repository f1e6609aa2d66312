/** The journal at the console, in a real browser on a real server: its proof, its records, and who did what. */
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, describe, test } from 'node:test'
import { type Server, serve } from '../process/support.ts'
import { openBrowser } from './browser.ts'
import { openBooks, rowsOf } from './console-books-support.ts'
import { directoryFor, openConsole, post, settled } from './console-support.ts'

const directory = directoryFor({ after })
const browser = await openBrowser()
after(() => browser?.close())

/** So many records are more than are proven between two looks. */
const batches = 60
const batchMax = 1_000

describe('the journal', { skip: browser === undefined && 'there is no Chromium here' }, async () => {
  if (browser === undefined) return
  const books = await openBooks({ after }, browser)

  test('Verify shows how far it has come, then that the books prove, and who asked', async (t) => {
    const operations = Array.from({ length: batchMax }, () => ({
      type: 'deposit',
      account: '123456789',
      amount: 1,
      currency: 'USD',
    }))
    for (let i = 0; i < batches; i += 1) await books.ask('/batches', { operations })
    const page = await books.as(t, 'operator', '/console/journal')
    await settled(page, 'Journal')
    await page.getByText('Nobody has verified the books').waitFor()
    await page.evaluate(watchProgress)
    const verify = page.getByRole('button', { name: 'Verify' })
    await verify.click()
    await page.getByRole('button', { name: 'Verifying…' }).waitFor()
    await page.getByText('The books prove').waitFor()
    await verify.waitFor()
    assert.equal(await page.getByRole('progressbar').count(), 0)

    const seen = (await page.evaluate('window.seen')) as string[][]
    const known = seen.filter(([, now]) => now !== null)
    assert(known.length > 0, `no figures among ${JSON.stringify(seen)}`)
    for (const [text, now, of] of known)
      assert.equal(text, `Block ${Number(now).toLocaleString('en')} of ${Number(of).toLocaleString('en')}`)
    const { last } = (await books.read('/verify')) as { last: { head: string; records: number } }
    const status = (await page.locator('.panel [role="status"]').textContent()) ?? ''
    assert.match(
      status,
      new RegExp(`${last.records.toLocaleString('en')} records in [\\d,]+ blocks, 3 accounts: every hash`),
    )
    assert.match(status, /Asked for by\s*olga/)
    assert.equal(await page.locator('.copyable code').getAttribute('title'), last.head)
    await page.locator('.sums summary').click()
    assert.match((await page.locator('.sums tbody tr').textContent()) ?? '', /^USD.*\$0\.00$/)

    // The verdict stays, for others too.
    const other = await books.as(t, 'auditor', '/console/journal')
    await other.getByText('The books prove').waitFor()
  })

  test('the newest records first, back from any of them, and those that come meanwhile', async (t) => {
    for (let i = 1; i <= 70; i += 1) await books.deposit('987654321', i)
    const page = await books.as(t, 'operator', '/console/journal')
    const rows = rowsOf(page)
    await rows.first().waitFor()
    assert.equal(await rows.count(), 30)
    assert.match((await rows.first().textContent()) ?? '', /Transfer.*Deposit.*cash:USD → 987654321.*\$0\.70/)
    await page.getByRole('link', { name: 'Next' }).click()
    await page.waitForURL(/\?before=1-\d+$/)
    await rows.filter({ hasText: '$0.40' }).waitFor()
    await page.getByRole('link', { name: 'Next' }).click()
    await rows.filter({ hasText: '$0.10' }).waitFor()
    const address = page.url()
    await page.reload()
    await rows.filter({ hasText: '$0.10' }).waitFor()
    await page.goBack()
    await rows.filter({ hasText: '$0.40' }).waitFor()
    await page.goto(address.replace(/before=.*/, 'before=1-5'))
    await rows.first().waitFor()
    assert((await rows.count()) <= 4)
    assert.equal(await page.getByRole('link', { name: 'Next' }).count(), 0)
    await page.goto(address.replace(/before=.*/, 'before=1-99999999'))
    await page.getByText('This could not be read').waitFor()

    await page.goto(`${books.url}/console/journal`)
    await rows.first().waitFor()
    await page.locator('.line', { hasText: 'Live' }).waitFor()
    await books.deposit('987654321', 12_345)
    await page.getByRole('button', { name: 'Show what is newer (1)' }).click()
    await rows.first().filter({ hasText: '$123.45' }).waitFor()
  })

  test('an auditor reads who did what only some may do, and why', async (t) => {
    await books.ask(
      '/accounts/555555555/state',
      { state: 'frozen', reason: '<b>court</b> order' },
      books.keys.operator,
    )
    await books.ask('/accounts/555555555/state', { state: 'active', reason: 'lifted' }, books.keys.operator)
    for (let i = 0; i < 31; i += 1)
      await books.ask('/accounts/987654321/state', { state: 'active', reason: `no. ${i}` })
    const page = await books.as(t, 'auditor', '/console/journal?view=acts')
    const rows = rowsOf(page)
    await rows.first().waitFor()
    assert.match(
      (await rows.first().textContent()) ?? '',
      /Changed the state of an account\s*987654321\s*Active\s*no\. 30\s*ada/,
    )
    await page.getByRole('link', { name: 'Next' }).click()
    const frozen = rows.filter({ hasText: '<b>court</b> order' })
    await frozen.waitFor()
    assert.match((await frozen.textContent()) ?? '', /555555555\s*Frozen.*olga/)
    await frozen.locator('summary').click()
    assert.match((await frozen.locator('pre').textContent()) ?? '', /"state": "frozen"/)
    assert.doesNotMatch(page.url(), /view=records/)
  })

  test('a changed amount is found, and named by block and record', async (t) => {
    const path = join(directory, 'changed.db')
    const before = await serve(t, { path })
    for (let i = 0; i < 40; i += 1) await deposit(before, 100 + i)
    await before.stop()
    const record = changeAmount(path)

    const changed = await serve(t, { path })
    const page = await openConsole(t, browser, `${changed.url}/console/journal`, { breaks: true })
    await settled(page, 'Journal')
    await page.getByRole('button', { name: 'Verify' }).click()
    const alert = page.locator('.panel .note.bad')
    await alert.waitFor()
    const said = (await alert.textContent()) ?? ''
    assert.match(said, /The books do not prove/)
    assert.match(said, new RegExp(`The first thing that is wrong is in block \\d+, record ${record}:`))
    const { last } = (await (await fetch(`${changed.url}/v1/verify`)).json()) as { last: { what: string } }
    assert(said.includes(last.what), said)
    assert.equal(await page.getByText('The books prove').count(), 0)
  })
})

/** In the page: keeps what every progress bar says, from now on. */
const watchProgress = `
  window.seen = []
  new MutationObserver(() => {
    const bar = document.querySelector('[role="progressbar"]')
    if (bar) seen.push(['aria-valuetext', 'aria-valuenow', 'aria-valuemax'].map((name) => bar.getAttribute(name)))
  }).observe(document.body, { subtree: true, childList: true, attributes: true, characterData: true })`

function deposit({ url }: Server, amount: number): Promise<unknown> {
  return post(url, '/v1/deposits', { account: '123456789', amount, currency: 'USD' })
}

type Row = { readonly sequence: number; readonly body: string }

function recordsOf(path: string): Row[] {
  const journal = new DatabaseSync(path, { readOnly: true })
  const rows = journal.prepare('select sequence, body from records').all()
  journal.close()
  return rows as Row[]
}

/** Changes a digit of an amount in the file, behind everybody's back; gives the record it is in. */
function changeAmount(path: string): number {
  const genuine = recordsOf(path)
  const bytes = readFileSync(path, 'latin1')
  // SQLite leaves old bytes behind where it moves rows, so that not every place that looks like a record is one.
  for (const { index, 0: before } of bytes.matchAll(
    /"type":"deposit","debit":"cash:USD","credit":"[^"]*","amount":(?=[1-8])/g,
  )) {
    const at = index + before.length
    writeFileSync(path, bytes.slice(0, at) + String(Number(bytes[at]) + 1) + bytes.slice(at + 1), 'latin1')
    const changed = recordsOf(path).find(({ body }, i) => body !== genuine[i]?.body)
    if (changed !== undefined) return changed.sequence
  }
  return assert.fail('an amount was changed')
}
