/** Cards at the console and what is withdrawn with them, and what each role sees of the books. */
import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import type { Page } from 'playwright-core'
import { openBrowser } from './browser.ts'
import {
  actionsOf,
  confirm,
  maya,
  openBooks,
  press,
  rowsOf,
  stateIs,
  viewsOf,
} from './console-books-support.ts'
import { settled } from './console-support.ts'

const browser = await openBrowser()
after(() => browser?.close())

describe('cards at the console, and who may do what', {
  skip: browser === undefined && 'there is no Chromium here',
}, async () => {
  if (browser === undefined) return
  const books = await openBooks({ after }, browser)
  const pan = '4761739001010143'

  test('each role sees what it may do, and is refused the rest', async (t) => {
    const card = await books.cardOf(maya, pan)
    const sections = (page: Page) =>
      page.getByRole('navigation', { name: 'Sections' }).getByRole('link').allTextContents()
    const ofAccount = ['Block', 'Freeze', 'Close']
    const atMachines = 'Withdrawals at machines'
    for (const [role, may] of Object.entries({
      teller: { account: [], views: ['Entries', 'Holds'], card: ['Block'], journal: [] },
      auditor: {
        account: [],
        views: ['Entries', atMachines, 'Holds'],
        card: [],
        journal: ['Records', 'Blocks', 'Who did what'],
      },
      operator: {
        account: ofAccount,
        views: ['Entries', atMachines, 'Holds'],
        card: ['Block'],
        journal: ['Records', 'Blocks'],
      },
      admin: {
        account: ofAccount,
        views: ['Entries', atMachines, 'Holds'],
        card: ['Block'],
        journal: ['Records', 'Blocks', 'Who did what'],
      },
    })) {
      const page = await books.as(t, role as keyof typeof books.keys, `/console/accounts/${maya}`)
      await page.locator('.tabs').waitFor()
      assert.deepEqual(await actionsOf(page), ['Statement', ...may.account], role)
      assert.deepEqual(await viewsOf(page), may.views, role)
      assert.equal((await sections(page)).includes('Journal'), role !== 'teller', role)
      await page.goto(`${books.url}/console/cards/${card}`)
      await page.locator('.title .badge').waitFor()
      assert.deepEqual(await actionsOf(page), may.card, role)
      await page.goto(`${books.url}/console/journal`)
      await settled(page, 'Journal')
      assert.deepEqual(await viewsOf(page), may.journal, role)
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
    const page = await books.as(t, 'teller', `/console/accounts/${maya}`)
    const status = await page.evaluate(async (path) => {
      const body = JSON.stringify({ state: 'frozen', reason: 'I want to' })
      const headers = { 'content-type': 'application/json', 'idempotency-key': 'mine' }
      return (await fetch(path, { method: 'POST', headers, body })).status
    }, `/v1/accounts/${maya}/state`)
    assert.equal(status, 403)
  })

  test('a card is blocked with a reason, unblocked by an administrator, and lost for ever', async (t) => {
    const card = await books.cardOf(maya, '5555555555554444')
    const statusOf = async () => (await books.read(`/cards/${card}`))['status']
    const page = await books.as(t, 'operator', `/console/cards/${card}`)
    await stateIs(page, 'Active')
    await press(page, 'Block')
    await confirm(page, 'left in a taxi')
    await stateIs(page, 'Blocked')
    assert.equal(await statusOf(), 'blocked')
    assert.deepEqual(await actionsOf(page), ['Block'], 'an operator does not unblock')
    assert.doesNotMatch(await page.content(), /5555555555554444/)

    const other = await books.as(t, 'admin', `/console/cards/${card}`)
    await stateIs(other, 'Blocked')
    await press(other, 'Unblock')
    await confirm(other, 'the driver brought it')
    await stateIs(other, 'Active')
    await stateIs(page, 'Active')
    await press(other, 'Block')
    await other.getByLabel(/Lost/).check()
    await confirm(other, 'lost again')
    await stateIs(other, 'Lost')
    assert.deepEqual(await actionsOf(other), [])
    assert.equal(await statusOf(), 'lost')
  })

  test('what is on its way at a machine stands on the account, until it is settled', async (t) => {
    await books.open('B-4', 20_000)
    const card = await books.cardOf('B-4', '4242424242424242')
    const machine = await books.machine('ATM00009')
    const withdraw = async (id: string, amount: number, says?: object) => {
      await machine('', { id, pan: '4242424242424242', amount, currency: 'USD' })
      await machine(`/${id}/start`, {})
      if (says !== undefined) await machine(`/${id}/confirm`, says)
    }
    await withdraw('w1', 2_000, { units: { C1: 1 } })
    await withdraw('w2', 6_000, { units: {}, outcome: 'unknown' })
    const page = await books.as(t, 'operator', '/console/accounts/B-4')
    await page.locator('.tiles', { hasText: 'In transit$60.00' }).waitFor()
    await page.locator('.tiles', { hasText: 'Ledger balance$120.00' }).waitFor()
    const underWay = page.locator('section', { hasText: 'On its way at cash machines' }).last()
    assert.match(
      (await underWay.locator('tbody').textContent()) ?? '',
      /w2.*ATM00009.*Suspect.*4242.*\$60\.00/,
    )
    await machine('/w2/confirm', { units: { C1: 3 } })
    await page.locator('.tiles', { hasText: 'In transit' }).waitFor({ state: 'detached' })
    assert.equal(await underWay.count(), 0)

    await page.getByRole('link', { name: 'Withdrawals at machines' }).click()
    await page.waitForURL('**/B-4?view=withdrawals')
    const rows = rowsOf(page)
    await page.getByRole('columnheader', { name: 'Paid out' }).waitFor()
    assert.deepEqual(await rows.locator('td:first-child').allTextContents(), ['w2', 'w1'])
    await rows.filter({ hasText: 'w1' }).getByRole('link', { name: '4242' }).click()
    await settled(page, /Card .*4242/)
    await rows.filter({ hasText: 'w1' }).waitFor()
    assert.match(page.url(), new RegExp(`/console/cards/${card}$`))
    await page.getByRole('link', { name: 'w1' }).waitFor()
    assert.equal(
      await page.getByRole('link', { name: 'w1' }).getAttribute('href'),
      '/console/terminals/ATM00009/withdrawals/w1',
    )

    await page.goto(`${books.url}/console/accounts/B-4`)
    const entry = rows.filter({ hasText: 'Withdrawal' }).first()
    await entry.waitFor()
    assert.match((await entry.textContent()) ?? '', /ATM00009.*w2.*ATM00009\.transit.*-\$60\.00/)
    await entry.getByRole('link', { name: 'ATM00009.transit' }).click()
    await settled(page, /ATM00009\.transit/)
    await rows.filter({ hasText: 'Cash paid out' }).first().waitFor()
    assert.deepEqual(await actionsOf(page), [])
  })

  test('the list of cards, by status and by last four digits', async (t) => {
    const card = await books.cardOf(maya, '4000000000000002')
    await books.ask(`/cards/${card}/block`, { status: 'stolen', reason: 'a bag' })
    const page = await books.as(t, 'teller', '/console/cards')
    await settled(page, 'Cards')
    await page.getByRole('link', { name: '•••• 0002' }).waitFor()
    await page.getByLabel('Status').selectOption('stolen')
    await page.waitForURL('**/console/cards?status=stolen')
    await page.locator('tbody tr:only-child').waitFor()
    await page.getByRole('link', { name: '•••• 0002' }).click()
    await settled(page, /Card .*0002/)
    await page.goBack()
    assert.equal(await page.getByLabel('Status').inputValue(), 'stolen')
    await page.goto(`${books.url}/console/cards`)
    await page.getByLabel('Last four').fill('0002')
    await page.keyboard.press('Enter')
    await page.waitForURL('**/console/cards?last4=0002')
    await page.locator('tbody tr:only-child', { hasText: '•••• 0002' }).waitFor()
    await page.getByLabel('Last four').fill('9876')
    await page.keyboard.press('Enter')
    await page.getByText('No card ends in').waitFor()
    await page.getByRole('link', { name: 'All cards' }).click()
    await page.getByRole('link', { name: '•••• 0002' }).waitFor()
  })
})
