/** Accounts at the console, in a real browser on a real server: what people with credentials see and do. */
import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { openBrowser } from './browser.ts'
import { actionsOf, confirm, maya, openBooks, press, rowsOf, stateIs } from './console-books-support.ts'
import { settled } from './console-support.ts'

const browser = await openBrowser()
after(() => browser?.close())

describe('accounts at the console', {
  skip: browser === undefined && 'there is no Chromium here',
}, async () => {
  if (browser === undefined) return
  const books = await openBooks({ after }, browser)

  /** Over the original route, by a teller. */
  const withdraw = async (account: string, amount: string) => {
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${books.keys.teller}` }
    const body = `{"amount": ${amount}}`
    const response = await fetch(`${books.url}/accounts/${account}/withdraw`, {
      method: 'POST',
      headers,
      body,
    })
    return [response.status, ((await response.json()) as Record<string, unknown>)['code']]
  }

  test('an operator freezes an account with a reason: nothing leaves it until it is unfrozen', async (t) => {
    const page = await books.as(t, 'operator', `/console/accounts/${maya}`)
    await settled(page, /Account .*123456789/)
    await stateIs(page, 'Active')
    await press(page, 'Freeze')
    await page.locator('dialog [type="submit"]').click()
    assert.equal(await page.locator('dialog').count(), 1, 'not without a reason')
    await confirm(page, 'she says she was robbed')
    await stateIs(page, 'Frozen')
    assert.match((await page.locator('.toasts').textContent()) ?? '', /The account is frozen/)
    assert.deepEqual(await withdraw(maya, '1.00'), [400, 'account_frozen'])
    const { acts } = (await books.read('/audit?limit=1')) as { acts: Record<string, unknown>[] }
    const { actor_name, action, details } = acts[0] ?? {}
    assert.deepEqual([actor_name, action], ['olga', 'account_changed'])
    const { account, state, reason } = details as Record<string, unknown>
    assert.deepEqual([account, state, reason], [maya, 'frozen', 'she says she was robbed'])

    assert.deepEqual(await actionsOf(page), ['Statement', 'Unfreeze', 'Close'])
    await press(page, 'Unfreeze')
    await confirm(page, 'found at home')
    await stateIs(page, 'Active')
    assert.deepEqual(await withdraw(maya, '1.00'), [200, undefined])
  })

  test('money is refused in one direction only, and an account with money on it is not closed', async (t) => {
    await books.open('B-1', 5_000)
    const page = await books.as(t, 'operator', '/console/accounts/B-1')
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
    assert.deepEqual(await actionsOf(page), ['Statement'])
  })

  test('a page is right while others do things', async (t) => {
    await books.open('B-2', 5_000)
    const page = await books.as(t, 'operator', '/console/accounts/B-2')
    await settled(page, /B-2/)
    await page.locator('.line', { hasText: 'Live' }).waitFor()
    await books.ask('/holds', { account: 'B-2', amount: 1_200, currency: 'USD', reference: 'hotel' })
    await page.locator('.tiles', { hasText: 'Available$38.00' }).waitFor()
    // Holds are read beside the account, and may come a moment later.
    await page.locator('.tiles', { hasText: /Held\$12\.00in 1 hold/ }).waitFor()
    await page.locator('section', { hasText: 'hotel' }).first().waitFor()
    await books.deposit('B-2', 100)
    await page.locator('.tiles', { hasText: 'Available$39.00' }).waitFor()
    await page.locator('tr', { hasText: '+$1.00' }).waitFor()
  })

  test('limits show what the business day has used of them', async (t) => {
    const limits = { transaction_amount: 5_000, daily_amount: 8_000, daily_count: 4 }
    await books.ask('/accounts', { number: 'B-3', limits })
    await books.deposit('B-3', 20_000)
    await books.ask('/withdrawals', { account: 'B-3', amount: 5_000, currency: 'USD' })
    await books.ask('/withdrawals', { account: 'B-3', amount: 2_000, currency: 'USD' })
    const page = await books.as(t, 'operator', '/console/accounts/B-3')
    await page.getByRole('meter').first().waitFor()
    const meters = await page
      .getByRole('meter')
      .evaluateAll((all) => all.map((one) => one.getAttribute('aria-valuetext')))
    assert.deepEqual(meters, ['$70.00 of $80.00', '2 of 4'])
    assert.match((await page.locator('.limits').textContent()) ?? '', /one transaction\s*\$50\.00/)
  })

  test('accounts: by number a page at a time, by state and currency, each view with an address', async (t) => {
    const numbers = Array.from({ length: 120 }, (_, i) => `L-${String(i).padStart(3, '0')}`)
    await Promise.all(
      numbers.map((number) =>
        books.ask('/accounts', { number, currency: number === 'L-007' ? 'JPY' : 'USD' }),
      ),
    )
    await books.deposit('L-000', 100)
    await books.ask('/accounts/L-005/state', { state: 'debit_blocked', reason: 'a test' })
    const page = await books.as(t, 'teller', '/console/accounts')
    await settled(page, 'Accounts')
    const names = () => page.locator('tbody a').allTextContents()
    const start = await names()
    await page.getByRole('link', { name: 'Next' }).click()
    await page.waitForURL('**/console/accounts?cursor=*')
    const [first = ''] = start
    await page.getByRole('link', { name: first, exact: true }).waitFor({ state: 'detached' })
    await page.locator('tbody a').first().waitFor()
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
    await page.goto(`${books.url}/console/accounts?view=house`)
    await page.getByRole('link', { name: 'cash:USD' }).click()
    await settled(page, /cash:USD/)
    await page.locator('tbody tr').first().waitFor()
    assert.deepEqual(await actionsOf(page), [])
    await page.goto(`${books.url}/console/accounts/nobody`)
    await page.getByText('There is nothing here').waitFor()
  })

  test('entries say what they were, lead to the other side, and go back in pages and by days', async (t) => {
    await books.open('B-5', 5_000)
    await books.ask('/transfers', { from: maya, to: 'B-5', amount: 300, currency: 'USD', reference: 'rent' })
    for (let i = 1; i <= 40; i += 1) await books.deposit('B-5', i)
    const page = await books.as(t, 'teller', '/console/accounts/B-5')
    await settled(page, /B-5/)
    const rows = rowsOf(page)
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
    assert.match((await rows.filter({ hasText: 'rent' }).textContent()) ?? '', /B-5.*-\$3\.00/)

    await page.getByLabel('To', { exact: true }).fill('2020-01-01')
    await page.waitForURL('**?to=2020-01-01')
    await page.getByText('Nothing was posted then').waitFor()
    await page.getByRole('link', { name: 'Any time' }).click()
    await rows.first().waitFor()
  })
})
