/** The console in a real browser: "I got no money" is found, seen and settled, by people with credentials of their own. */
import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { openBrowser } from './browser.ts'
import { phone } from './console-support.ts'
import { atm, openBank, resolve, sees, violations, weightOf } from './console-work-support.ts'

const browser = await openBrowser()
after(() => browser?.close())

const page = (id: string) => `/console/terminals/${atm}/withdrawals/${id}`

describe('work at the console', { skip: browser === undefined && 'there is no Chromium here' }, async () => {
  if (browser === undefined) return
  const bank = await openBank({ after }, browser)

  test('an operator finds a suspect in the overview, sees machine and customer, and settles it', async (t) => {
    const before = await bank.ledger()
    await bank.suspect('o1', 6_000)
    const seen = await bank.browse(t, 'olga', '/console')
    await seen.locator('.attention li', { hasText: 'o1' }).getByRole('link', { name: 'Settle it' }).click()
    await sees(seen, '.verdict', /\$60\.00 is uncertain since .*left account 123456789.*nobody knows/)
    await sees(seen, '.split', /Account123456789.*•••• 0143.*ATM00007 Main Street.*In service/)
    await seen.getByRole('button', { name: 'Resolve' }).click()
    await seen.locator('dialog .choice', { hasText: 'Nothing left' }).locator('input').check()
    await sees(
      seen,
      'dialog .posts',
      /\$60\.00 goes back from transit to account 123456789\..*debited nothing\./,
    )
    await resolve(seen, 'Nothing left', 'seen on the film')

    await sees(seen, '.verdict', /Nobody was debited: no note left, and the \$60\.00 is back/)
    assert.equal(await seen.getByRole('button', { name: 'Resolve' }).count(), 0)
    await seen.getByRole('link', { name: 'See the withdrawal' }).click()
    await sees(
      seen,
      '.timeline',
      /Asked for and approved.*1 × \$50\.00, 1 × \$10\.00.*123456789 → ATM00007\.transit \$60\.00.*Exception opened: Cash may have left.*ATM00007\.transit → 123456789 \$60\.00.*Exception resolved by olga.*Nothing left.*seen on the film/,
    )
    assert.equal(new URL(seen.url()).pathname, page('o1'))
    const { state, exception } = await bank.withdrawal('o1')
    const { resolution } = await bank.read(`/exceptions/${exception}`)
    assert.deepEqual([state, resolution.by, resolution.reason], ['reversed', 'olga', 'seen on the film'])
    assert.deepEqual([await bank.ledger(), (await bank.terminal()).transit.uncertain], [before, 0])
  })

  test('one search answers it: by the authorization code on the receipt, in one step', async (t) => {
    const before = await bank.ledger()
    const { authorization_code } = await bank.suspect('s1', 8_000)
    const seen = await bank.browse(t, 'olga', '/console')
    await seen.keyboard.press('/')
    await seen.keyboard.type(String(authorization_code))
    await seen.keyboard.press('Enter')
    await sees(seen, '.verdict', /\$80\.00 is uncertain/)
    await seen.getByRole('button', { name: 'Resolve' }).click()
    await seen.locator('dialog [name="left-amount"]').fill('50.00')
    await sees(
      seen,
      'dialog .posts',
      /\$50\.00 leaves transit.*ATM00007.*\$30\.00 goes back.*debited \$50\.00/,
    )
    await seen.locator('dialog [name="reason"]').fill('one note was found')
    await seen.locator('dialog [type="submit"]').click()
    await sees(seen, '.verdict', /The customer has \$50\.00 of the \$80\.00.*the other \$30\.00 went back/)
    assert.equal(await bank.ledger(), before - 5_000)
    assert.deepEqual((await bank.withdrawal('s1')).dispensed, 5_000)
  })

  test('an amount that cannot have left is not sent', async (t) => {
    await bank.suspect('a1', 6_000)
    const seen = await bank.browse(t, 'olga', page('a1'))
    await seen.getByRole('button', { name: 'Resolve' }).click()
    await seen.locator('dialog [name="reason"]').fill('typed in a hurry')
    for (const [typed, why] of [
      ['61', /No more than \$60\.00/],
      ['12.345', /such as 40\.00/],
      ['x', /such as 40\.00/],
    ] as const) {
      await seen.locator('dialog [name="left-amount"]').fill(typed)
      await seen.locator('dialog [type="submit"]').click()
      const said = await seen.evaluate('document.querySelector("[name=left-amount]").validationMessage')
      assert.match(String(said), why)
    }
    assert.equal((await bank.withdrawal('a1')).state, 'suspect')
    await resolve(seen, 'All of it left', 'it was in her hand')
    await sees(seen, '.verdict', /The customer has \$60\.00 in cash/)
    assert.equal((await bank.withdrawal('a1')).state, 'completed')
  })

  test('above the threshold a second person must say the same, and sees what the first one said', async (t) => {
    await bank.suspect('p1', 20_000)
    const before = await bank.ledger()
    const first = await bank.browse(t, 'olga', page('p1'))
    await first.getByRole('button', { name: 'Resolve' }).click()
    await resolve(first, 'Nothing left', 'counted')
    await sees(first, '.toast', /It waits until somebody else says the same/)
    await sees(first, '.note.warn', /olga says that nothing left.*You said so/)
    assert.equal(await bank.ledger(), before)

    await first.getByRole('button', { name: 'Resolve' }).click()
    await resolve(first, 'Nothing left', 'counted twice')
    await sees(first, 'dialog [role="alert"]', /Somebody else must say the same/)

    const second = await bank.browse(t, 'ben', '/console/exceptions')
    const row = second.locator('tbody tr', { hasText: 'Waits for a second person' })
    await row.getByRole('link', { name: 'Cash may have left' }).click()
    await sees(second, '.note.warn', /olga says that nothing left.*“counted”/)
    await second.getByRole('button', { name: 'Say the same' }).click()
    assert.equal(await second.locator('dialog [type="radio"]:checked').getAttribute('value'), '0')
    await second.locator('dialog [name="reason"]').fill('counted as well')
    await second.locator('dialog [type="submit"]').click()
    await sees(second, '.badge', /Resolved/)
    // And the first one sees it, who did nothing more.
    await first.keyboard.press('Escape')
    await sees(first, '.verdict', /Nobody was debited/)
    await sees(first, '.timeline', /One person has said what left by olga.*Exception resolved by ben/)
    assert.equal(await bank.ledger(), before + 20_000)
  })

  test('the keyboard alone settles it, and the focus is where it must be', async (t) => {
    await bank.suspect('k1', 6_000)
    const seen = await bank.browse(t, 'olga', page('k1'))
    await seen.getByRole('button', { name: 'Resolve' }).waitFor()
    const focused = () =>
      seen.evaluate('document.activeElement.name || document.activeElement.textContent') as Promise<string>
    for (let i = 0; i < 40 && (await focused()) !== 'Resolve'; i += 1) await seen.keyboard.press('Tab')
    await seen.keyboard.press('Enter')
    assert.equal(await focused(), 'left')
    await seen.keyboard.press('Space')
    await seen.keyboard.press('ArrowDown')
    assert.equal(await seen.locator('dialog :checked').getAttribute('value'), '6000')
    await seen.keyboard.press('Escape')
    await seen.locator('dialog').waitFor({ state: 'detached' })
    assert.equal(await focused(), 'Resolve')

    await seen.keyboard.press('Enter')
    await seen.keyboard.press('Space')
    await seen.keyboard.press('Tab')
    assert.equal(await focused(), 'left-amount')
    await seen.keyboard.press('Tab')
    assert.equal(await focused(), 'reason')
    await seen.keyboard.type('the notes were found')
    await seen.keyboard.press('Tab')
    assert.equal(await focused(), 'Cancel')
    await seen.keyboard.press('Tab')
    await seen.keyboard.press('Enter')
    await sees(seen, '.verdict', /Nobody was debited/)
    assert.equal((await bank.withdrawal('k1')).state, 'reversed')
  })

  test('who may not resolve sees no button, and is told why if they ask all the same', async (t) => {
    const { exception } = await bank.suspect('r1', 6_000)
    const seen = await bank.browse(t, 'ira', `/console/exceptions/${exception}`)
    await sees(seen, '.verdict', /\$60\.00 is uncertain/)
    assert.equal(await seen.locator('main button:not(.copyable button)').count(), 0)

    // A page that thinks otherwise, as one would that is older than the role.
    await seen.route('**/v1/session', async (route) => {
      const response = await route.fetch()
      const session = await response.json()
      return route.fulfill({
        json: { ...session, permissions: [...session.permissions, 'resolve_exceptions'] },
      })
    })
    await seen.reload()
    await seen.getByRole('button', { name: 'Resolve' }).click()
    await resolve(seen, 'All of it left', 'I want to')
    await sees(seen, 'dialog [role="alert"]', /Your role may not do this/)
    assert.equal((await bank.withdrawal('r1')).state, 'suspect')
    await bank.report('r1', { C1: 1, C3: 1 })
    await sees(seen, '.verdict', /The customer has \$60\.00 in cash/)
  })

  test('cash of which nobody knows a customer is settled by a reason alone', async (t) => {
    await bank.report('ghost', { C2: 1 })
    const seen = await bank.browse(t, 'olga', '/console/exceptions')
    await seen.getByRole('link', { name: 'Advice about nothing known' }).click()
    await sees(seen, '.verdict', /Nobody was debited: the machine never asked for it/)
    await seen.getByRole('button', { name: 'Resolve' }).click()
    assert.equal(await seen.locator('dialog [type="radio"]').count(), 0)
    await sees(seen, 'dialog', /nothing will be posted/)
    await seen.locator('dialog [name="reason"]').fill('a test of the technician')
    await seen.locator('dialog [type="submit"]').click()
    await sees(seen, '.panel', /Resolved byolga.*Reasona test of the technician.*Nothing had to be posted/)
  })

  test('more than was asked for: the machine’s word is the likely one, and the rest is debited', async (t) => {
    const before = await bank.ledger()
    await bank.withdraw('m1', 4_000, { units: { C1: 1 } })
    const seen = await bank.browse(t, 'olga', page('m1'))
    await sees(seen, '.verdict', /the machine says that \$50\.00 left, more than was asked for/)
    await seen.getByRole('button', { name: 'Resolve' }).click()
    assert.equal(await seen.locator('dialog :checked').getAttribute('value'), '5000')
    assert.equal(await seen.evaluate('document.activeElement.value'), '5000')
    await sees(seen, 'dialog .posts', /\$40\.00 leaves transit.*\$10\.00 more is taken.*debited \$50\.00/)
    await seen.locator('dialog [name="reason"]').fill('as the machine says')
    await seen.locator('dialog [type="submit"]').click()
    await sees(seen, '.verdict', /account 123456789 was debited/)
    assert.equal(await bank.ledger(), before - 5_000)
  })

  test('paid after it was taken back: the page says so, and what is missing is taken', async (t) => {
    const before = await bank.ledger()
    await bank.withdraw('l1', 2_000, { units: {} })
    await bank.report('l1', { C2: 1 })
    const seen = await bank.browse(t, 'olga', page('l1'))
    await sees(seen, '.verdict', /Nobody was debited.*not settled.*machine said that cash left after all/)
    await seen.getByRole('button', { name: 'Resolve' }).click()
    await sees(seen, 'dialog .posts', /\$20\.00 is taken from account 123456789/)
    await seen.locator('dialog [name="reason"]').fill('the film shows it')
    await seen.locator('dialog [type="submit"]').click()
    await sees(seen, '.verdict', /The customer has \$20\.00 in cash/)
    assert.equal(await bank.ledger(), before - 2_000)
  })

  test('each filter of the exceptions has an address, and back goes back', async (t) => {
    await bank.suspect('f1', 6_000)
    const seen = await bank.browse(t, 'olga', '/console/exceptions')
    await sees(seen, 'tbody', /f1/)
    await seen.getByRole('link', { name: 'Resolved' }).click()
    await sees(seen, 'tbody', /Advice about nothing known.*Closed by olga/)
    assert.equal(new URL(seen.url()).search, '?state=resolved')
    await seen.locator('.filters select').selectOption('unknown_advice')
    await seen.waitForURL('**/exceptions?state=resolved&type=unknown_advice')
    await seen.locator('tbody tr', { hasText: 'Cash may have left' }).first().waitFor({ state: 'detached' })
    await seen.reload()
    await sees(seen, 'tbody', /ghost/)
    assert.equal(await seen.locator('tbody tr').count(), 1)
    await seen.locator('[name="terminal"]').fill('none')
    await seen.keyboard.press('Enter')
    await sees(seen, '.note', /There is none of these/)
    assert.equal(new URL(seen.url()).searchParams.get('terminal'), 'NONE')
    await seen.goBack()
    await sees(seen, 'tbody', /f1/)
    assert.equal(new URL(seen.url()).search, '')
  })

  test('in Hebrew, on a phone, by night: from right to left, no wider than the phone, and nothing for axe', async (t) => {
    const { exception } = await bank.suspect('h1', 6_000)
    const how = { viewport: phone, colorScheme: 'dark', bypassCSP: true } as const
    for (const [path, what] of [
      [`${page('h1')}?lang=he`, /אינם ודאיים/],
      [`/console/exceptions/${exception}?lang=he`, /אינם ודאיים/],
      ['/console/exceptions?lang=he', /h1/],
    ] as const) {
      const seen = await bank.browse(t, 'olga', path, how)
      await sees(seen, 'main', what)
      assert.equal(await seen.evaluate('document.documentElement.dir'), 'rtl')
      assert.equal(await seen.evaluate('document.documentElement.scrollWidth'), phone.width, path)
      assert.deepEqual(await violations(seen), [], path)
    }
  })

  test('by day, on a desk, with the dialog open: not too heavy, and nothing for axe', async (t) => {
    const [exception] = await bank.openExceptions()
    const seen = await bank.browse(t, 'olga', page(exception?.withdrawal ?? ''), { bypassCSP: true })
    await seen.locator('.timeline').waitFor()
    const weight = await weightOf(seen)
    assert(weight > 30_000 && weight <= 60 * 1024, `${weight} bytes`)
    assert.deepEqual(await violations(seen), [])
    await seen.getByRole('button', { name: 'Resolve' }).click()
    await seen.locator('dialog .choice').first().locator('input').check()
    assert.deepEqual(await violations(seen), [])
  })
})
