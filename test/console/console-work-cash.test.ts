/** A machine's cash at the console, in a real browser: exchanged and counted, its batch closed, in and out of service. */
import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import type { Page } from 'playwright-core'
import { openBrowser } from './browser.ts'
import { phone } from './console-support.ts'
import { atm, openBank, sees, textOf, violations, weightOf } from './console-work-support.ts'

const browser = await openBrowser()
after(() => browser?.close())

const path = `/console/terminals/${atm}`

describe('cash at the console', { skip: browser === undefined && 'there is no Chromium here' }, async () => {
  if (browser === undefined) return
  const bank = await openBank({ after }, browser)

  const button = (page: Page, name: string | RegExp) => page.getByRole('button', { name })
  const yes = (page: Page) => page.locator('dialog [type="submit"]').click()
  const fill = async (page: Page, form: 'count' | 'load', notes: Record<string, number>) => {
    for (const [name, number] of Object.entries(notes))
      await page.locator(`.${form} [name="${name}"]`).fill(String(number))
  }
  const isOver = (page: Page) => page.locator('.exchange').waitFor({ state: 'detached' })

  test('an exchange: what was counted proves the suspect, also over a reload in its midst', async (t) => {
    await bank.withdraw('w1', 2_000, { units: { C2: 1 } })
    await bank.suspect('w2', 6_000)
    const seen = await bank.browse(t, 'olga', path)
    await button(seen, 'Exchange notes').click()
    await sees(seen, 'dialog', /ATM00007 goes out of service.*has begun is a suspect/)
    await yes(seen)
    await sees(seen, '.badge', /Being filled/)
    assert.equal(await button(seen, /service|Exchange notes/).count(), 0)
    assert.equal(await button(seen, 'End the exchange…').isDisabled(), true)
    await fill(seen, 'count', { C1: 99, C2: 99, C3: 98 })
    await button(seen, 'Save the count').click()
    await sees(seen, '.total', /\$70\.00 is missing/)

    await seen.reload()
    await sees(seen, '.exchange', /counted and saved before/)
    assert.equal(await seen.locator('.count [name="C3"]').inputValue(), '98')
    assert.equal(await button(seen, 'End the exchange…').isDisabled(), true)
    // Counted once more: one note had stuck to another.
    await fill(seen, 'count', { C3: 99 })
    await button(seen, 'Save the count again').click()
    await sees(seen, '.total', /\$60\.00 is missing/)
    assert.deepEqual((await textOf(seen, '.exchange tbody')).match(/-1/g)?.length, 2)
    assert.equal(await seen.locator('.suspects :checked').getAttribute('value'), '6000')
    await sees(seen, '.suspects .posts', /\$60\.00 leaves transit and counts as paid out by ATM00007/)
    await fill(seen, 'load', { C1: 50, C2: 50, C3: 50 })
    await sees(seen, '.load .sum', /\$4,000\.00/)
    await button(seen, 'End the exchange…').click()
    await sees(
      seen,
      'dialog',
      /w2: \$60\.00 leaves transit.*Nothing is over or short\..*leave the machine: \$7,920\.00\..*worth \$4,000\.00.*in service again/,
    )
    await yes(seen)
    await isOver(seen)
    await sees(seen, '.toast', /nothing over, nothing short/)
    await sees(seen, '.badge', /In service/)

    const { cash, over_short, transit } = await bank.terminal()
    assert.deepEqual([cash, over_short, transit.uncertain], [400_000, 0, 0])
    assert.equal((await bank.withdrawal('w2')).state, 'completed')
  })

  test('what one began another ends: short of a note, and over by one that nobody had booked', async (t) => {
    const first = await bank.browse(t, 'olga', path)
    await button(first, 'Exchange notes').click()
    await yes(first)
    await fill(first, 'count', { C1: 50, C2: 50, C3: 49 })
    await button(first, 'Save the count').click()
    await sees(first, '.total', /\$10\.00 is missing/)

    const second = await bank.browse(t, 'ben', path)
    await sees(second, '.exchange', /counted and saved before/)
    assert.equal(await second.locator('.count [name="C3"]').inputValue(), '49')
    await second.getByLabel('Another note’s value in D1').first().fill('100')
    await second.keyboard.press('Enter')
    await second.getByLabel('Notes of $100.00 in D1').fill('1')
    await button(second, 'Save the count again').click()
    await sees(second, '.total', /\$90\.00 is there beyond the books/)
    await fill(second, 'count', { C1: 49 })
    await sees(second, '.load .actions', /The count was changed since/)
    await fill(second, 'count', { C1: 50 })
    await button(second, 'Save the count again').click()
    await fill(second, 'load', { C1: 40, C2: 40, C3: 40 })
    await button(second, 'End the exchange…').click()
    await sees(second, 'dialog', /\$90\.00 is over, and goes to over\/short/)
    await yes(second)
    await sees(second, '.toast', /\$90\.00 over/)
    // The first one sees that it is over, who did nothing more.
    await isOver(first)
    const { cash, over_short } = await bank.terminal()
    assert.deepEqual([cash, over_short], [320_000, 9_000])
  })

  test('what is missing fits two suspects: each must be answered before it can end', async (t) => {
    for (const id of ['t1', 't2']) await bank.suspect(id, 2_000)
    const seen = await bank.browse(t, 'olga', path)
    await button(seen, 'Exchange notes').click()
    await yes(seen)
    await fill(seen, 'count', { C1: 40, C2: 39, C3: 40 })
    await button(seen, 'Save the count').click()
    await sees(seen, '.suspects', /What is missing does not tell.*What is missing does not tell/)
    await fill(seen, 'load', { C1: 40, C2: 40, C3: 40 })
    const answer = (id: string, words: string) =>
      seen
        .locator('.suspects section', { hasText: id })
        .locator('.choice', { hasText: words })
        .locator('input')
    await answer('t1', 'All of it left').first().check()
    await sees(seen, '.load .actions', /Answer for each suspect first/)
    assert.equal(await button(seen, 'End the exchange…').isDisabled(), true)
    await answer('t2', 'Nothing left').check()
    await button(seen, 'End the exchange…').click()
    await sees(
      seen,
      'dialog',
      /t1: \$20\.00 leaves transit.*t2: \$20\.00 goes back.*Nothing is over or short/,
    )
    await yes(seen)
    await isOver(seen)
    const states = [(await bank.withdrawal('t1')).state, (await bank.withdrawal('t2')).state]
    assert.deepEqual(states, ['completed', 'reversed'])
    assert.equal((await bank.terminal()).over_short, 9_000)
  })

  test('notes on top settle nothing, and the suspect stays', async (t) => {
    await bank.suspect('u1', 2_000)
    const before = await bank.terminal()
    const seen = await bank.browse(t, 'olga', path)
    await button(seen, 'Exchange notes').click()
    await yes(seen)
    await seen.getByLabel('They stay, and more are put on top').check()
    assert.equal(await seen.locator('.count').count(), 0)
    await fill(seen, 'load', { C2: 10 })
    await button(seen, 'End the exchange…').click()
    await sees(seen, 'dialog', /worth \$200\.00 are put on top.*suspects stay open/)
    await yes(seen)
    await isOver(seen)
    const { cash, transit } = await bank.terminal()
    assert.deepEqual([cash, transit.uncertain], [before.cash + 20_000, 2_000])
  })

  test('a batch is closed, and its report has what was carried over', async (t) => {
    const { batch } = await bank.terminal()
    const { open } = await bank.read(`/terminals/${atm}/batches`)
    const seen = await bank.browse(t, 'olga', path)
    await sees(seen, '.panel:has(h2:has-text(", open"))', new RegExp(`Batch ${batch}, open`))
    await button(seen, `Close batch ${batch}`).click()
    await sees(seen, 'dialog', /a report that never changes/)
    await yes(seen)
    await seen.waitForURL(`**${path}/batches/${batch}`)
    await sees(seen, '.facts', new RegExp(`Withdrawals\\$\\d+\\.00 \\(${open.withdrawals.count}\\)`))
    await sees(seen, 'tbody', /u1Suspect\$20\.00/)
    assert.equal((await bank.terminal()).batch, batch + 1)
    await seen.locator('tbody').getByRole('link', { name: 'u1' }).click()
    await sees(seen, '.verdict', /\$20\.00 is uncertain/)
    await seen.goBack()
    await sees(seen, 'tbody', /u1/)
    await seen.reload()
    await sees(seen, 'tbody', /u1/)
    await seen.getByRole('navigation', { name: 'Where this is' }).getByRole('link', { name: atm }).click()
    await sees(seen, '.panel:has(h2:text-is("Batches"))', new RegExp(`${batch}.*1`))
    await sees(seen, 'main', new RegExp(`Batch ${batch + 1}, open`))
  })

  test('out of service with a reason, and in again; somebody else sees it happen', async (t) => {
    const other = await bank.browse(t, 'ira', path)
    await sees(other, '.badge', /In service/)
    assert.equal(await other.locator('main .actions button').count(), 0)
    const seen = await bank.browse(t, 'olga', path)
    await button(seen, 'Take out of service').click()
    await yes(seen)
    // Without a reason nothing is sent.
    assert.equal(await seen.locator('dialog').count(), 1)
    await seen.locator('[name="reason"]').fill('the door stands open')
    await yes(seen)
    await sees(other, '.badge', /Out of service/)
    assert.equal((await bank.terminal()).state, 'out_of_service')
    await button(seen, 'Put in service').click()
    await seen.locator('[name="reason"]').fill('the door is shut')
    await yes(seen)
    await sees(other, '.badge', /In service/)
    assert.equal((await bank.terminal()).state, 'in_service')
  })

  test('the latest withdrawals are there, newest first, and all of them by pages', async (t) => {
    for (let i = 0; i < 9; i += 1) await bank.withdraw(`n${i}`, 1_000, { units: { C3: 1 } })
    const seen = await bank.browse(t, 'ira', path)
    const panel = '.panel:has(h2:text-is("Latest withdrawals"))'
    await sees(seen, `${panel} tbody`, /^n8Paid out123456789 •••• 0143\$10\.00\$10\.00.*n7.*n1/)
    await seen.getByRole('link', { name: 'All withdrawals' }).click()
    await sees(seen, 'tbody', /n8.*n0.*u1.*w1/)
    await seen.locator('select').selectOption('suspect')
    await seen.locator('tbody tr', { hasText: 'n8' }).waitFor({ state: 'detached' })
    assert.match(await textOf(seen, 'tbody'), /^u1Suspect/)
    assert.equal(new URL(seen.url()).search, '?state=suspect')
  })

  test('not too heavy; axe has nothing against it, by day on a desk and by night on a phone, in Hebrew, which it fits', async (t) => {
    const desk = await bank.browse(t, 'olga', path, { bypassCSP: true })
    await sees(desk, 'main', /Latest withdrawals.*n8/)
    const weight = await weightOf(desk)
    assert(weight > 30_000 && weight <= 60 * 1024, `${weight} bytes`)
    assert.deepEqual(await violations(desk), [])
    await button(desk, 'Exchange notes').click()
    await yes(desk)
    await fill(desk, 'count', { C1: 40, C2: 49, C3: 31 })
    await button(desk, 'Save the count').click()
    await sees(desk, '.exchange', /Suspects/)
    // From now on no button changes; of one that does axe mixes the colors of before with those of after.
    await desk.locator('.load .button.main:enabled').waitFor()
    await desk.locator('.count .button.main:enabled').waitFor()
    assert.deepEqual(await violations(desk), [])

    const how = { viewport: phone, colorScheme: 'dark', bypassCSP: true } as const
    for (const part of ['', '/batches/1', '/batches', '/withdrawals']) {
      const seen = await bank.browse(t, 'ben', `${path}${part}?lang=he`, how)
      await sees(seen, 'main', part === '' ? /מילוי שטרות.*n8/ : /\$/)
      assert.equal(await seen.evaluate('document.documentElement.dir'), 'rtl')
      assert.equal(await seen.evaluate('document.documentElement.scrollWidth'), phone.width, part)
      assert.deepEqual(await violations(seen), [], part)
    }
  })
})
