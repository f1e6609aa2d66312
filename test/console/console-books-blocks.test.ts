/** The journal's chain at the console, in a real browser on a real server: its heads, its blocks, and the ways between. */
import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { openBrowser } from './browser.ts'
import { openBooks, rowsOf, viewsOf } from './console-books-support.ts'
import { phone, until } from './console-support.ts'

const browser = await openBrowser()
after(() => browser?.close())

describe('the chain', { skip: browser === undefined && 'there is no Chromium here' }, async () => {
  if (browser === undefined) return
  const books = await openBooks({ after }, browser)

  test('its head, its blocks page by page, and from each to the one it follows', async (t) => {
    for (let i = 1; i <= 35; i += 1) await books.deposit('987654321', i)
    const { heads } = (await books.read('/journal/heads')) as { heads: Listed[] }
    const [head] = heads as [Listed]
    const page = await books.as(t, 'operator', '/console/journal')
    assert.deepEqual(await viewsOf(page), ['Records', 'Blocks'])
    await page.getByRole('link', { name: 'Blocks' }).click()
    const rows = rowsOf(page)
    await rows.nth(29).locator('.copyable').waitFor()
    assert.equal(await rows.count(), 30)
    const inHead = page.getByRole('region', { name: 'Heads of the chain' }).locator('tbody tr')
    assert.equal(await inHead.count(), 1)
    assert.equal(await inHead.locator('.copyable code').getAttribute('title'), head.hash)
    assert.match((await inHead.textContent()) ?? '', new RegExp(`^1.*${head.last_record}`, 's'))

    const chain = (await page.evaluate(readChain)) as Row[]
    assert.equal(chain[0]?.hash, head.hash)
    for (const [i, { previous, shown }] of chain.entries()) {
      const next = chain[i + 1]
      if (next === undefined) continue
      assert.equal(previous, next.hash)
      assert.equal(shown, `${next.hash.slice(0, 12)}…`)
    }
    await page.getByRole('link', { name: 'Next' }).click()
    await page.waitForURL(/view=blocks&cursor=/)
    await until(page, firstHash, chain.at(-1)?.previous)
    await page.goBack()
    await until(page, firstHash, head.hash)

    // One step down the chain, which is an address of its own.
    await rows.first().locator('td[data-head="Follows"] a').click()
    await until(page, firstHash, head.previous_hash)
    const below = head.number - 1
    await page.getByText(`Up to block ${isolated(below.toLocaleString('en'))}.`).waitFor()
    await page.reload()
    await until(page, firstHash, head.previous_hash)
    await page.getByRole('link', { name: 'Show the newest' }).click()
    await until(page, firstHash, head.hash)
    await page.goto(`${books.url}/console/journal?view=blocks&to=1`)
    await rows.filter({ hasText: 'nothing: the first' }).waitFor()
    assert.equal(await rows.count(), 1)
  })

  test('a block leads to its records, and tells when there are newer ones', async (t) => {
    const operations = [11, 22, 33].map((amount) => ({
      type: 'deposit',
      account: '987654321',
      amount,
      currency: 'USD',
    }))
    await books.ask('/batches', { operations })
    for (let i = 1; i <= 3; i += 1) await books.deposit('987654321', 700)
    const page = await books.as(t, 'operator', '/console/journal?view=blocks')
    const batch = rowsOf(page).nth(3)
    await batch.waitFor()
    const range = (await batch.locator('td[data-head="Records"] a').textContent()) ?? ''
    const [, last = ''] = range.split(' – ')
    await batch.locator('td[data-head="Records"] a').click()
    await page.getByText(`Up to record ${isolated(last)}.`).waitFor()
    const rows = rowsOf(page)
    for (const [i, amount] of ['$0.33', '$0.22', '$0.11'].entries())
      await rows.nth(i).filter({ hasText: amount }).waitFor()
    await page.getByRole('link', { name: 'Next' }).click()
    await page.waitForURL(/before=/)
    await page.getByRole('link', { name: 'Previous' }).click()
    await rows.first().filter({ hasText: '$0.33' }).waitFor()
    await page.getByRole('link', { name: 'Show the newest' }).click()
    await rows.first().filter({ hasText: '$7.00' }).waitFor()

    // The last record of the block is the reply to its key, which is no event; the one before it is.
    const paid = `1-${Number(last.split('-')[1]) - 1}`
    await page.goto(`${books.url}/console/journal?upto=${paid}`)
    await rows.first().locator('td[data-head="Record"]', { hasText: paid }).waitFor()

    await page.goto(`${books.url}/console/journal?view=blocks`)
    await batch.waitFor()
    const before = await page.evaluate(firstHash)
    await page.locator('.line', { hasText: 'Live' }).waitFor()
    await books.deposit('987654321', 1)
    await page.getByRole('button', { name: 'Show what is newer (1)' }).waitFor()
    assert.equal(await page.evaluate(firstHash), before, 'nothing moves while somebody reads')
    await page.getByRole('button', { name: 'Show what is newer (1)' }).press('Enter')
    const { heads } = (await books.read('/journal/heads')) as { heads: Listed[] }
    await until(page, firstHash, heads[0]?.hash)
  })

  test('on a phone, from right to left, by keyboard: a whole hash is copied', async (t) => {
    const page = await books.as(t, 'auditor', '/console/journal?view=blocks&lang=he', { viewport: phone })
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write'])
    const row = rowsOf(page).first()
    await row.waitFor()
    assert.deepEqual(await viewsOf(page), ['רשומות', 'בלוקים', 'מי עשה מה'])
    assert.equal(await page.evaluate('document.documentElement.scrollWidth - innerWidth'), 0)
    const { heads } = (await books.read('/journal/heads')) as { heads: Listed[] }
    await row.locator('td[data-head="רשומות"] a').focus()
    await page.keyboard.press('Tab')
    await page.keyboard.press('Enter')
    await until(page, 'navigator.clipboard.readText()', heads[0]?.hash)
    await page.keyboard.press('Tab')
    await page.keyboard.press('Enter')
    await until(page, firstHash, heads[0]?.previous_hash)
    assert.match(page.url(), /view=blocks&to=\d+$/)
  })
})

type Listed = {
  readonly number: number
  readonly last_record: string
  readonly hash: string
  readonly previous_hash: string
}
type Row = { readonly hash: string; readonly previous: string; readonly shown: string }

/** In the page: the hashes of the list, whole, and what is seen of those it follows. */
const readChain = `[...document.querySelectorAll('main > .panel:last-of-type tbody tr')].map((row) => {
    const link = row.querySelector('td[data-head="Follows"] a')
    const hash = row.querySelector('.copyable code').title
    return { hash, previous: link?.title, shown: link?.textContent.trim() }
  })`
const firstHash = `document.querySelector('main > .panel:last-of-type tbody tr .copyable code')?.title`

/** As texts are that keep their own direction in a sentence. */
function isolated(text: string): string {
  return `\u2068${text}\u2069`
}
