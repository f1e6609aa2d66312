// Amounts for people: the digits of the books, with the point where the currency has it.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { moneyIn } from '../../src/console/web/money.ts'
import { currencies, decimalsOf, minorMax } from '../../src/ledger/money.ts'

test('every currency has the decimals that the books count it in', () => {
  for (const currency of currencies) {
    const decimals = decimalsOf(currency) ?? assert.fail(currency)
    const { plain, full } = moneyIn(currency, 'en')
    const point = decimals === 0 ? '123456' : `${'123456'.slice(0, -decimals)}.${'123456'.slice(-decimals)}`
    assert.equal(plain(123_456), point, currency)
    assert.equal(/[0-9][0-9.,]*/.exec(full(123_456))?.[0].replace(',', ''), point, currency)
  }
})

test('nothing is rounded, however large', () => {
  const { plain, full, signed } = moneyIn('USD', 'en')
  assert.deepEqual([5, -5, 0, 100, minorMax, -minorMax].map(plain), [
    '0.05',
    '-0.05',
    '0.00',
    '1.00',
    '90071992547409.91',
    '-90071992547409.91',
  ])
  assert.deepEqual([5, -5, 0].map(signed), ['+$0.05', '-$0.05', '$0.00'])
  assert.equal(full(minorMax), '$90,071,992,547,409.91')
  assert.equal(full(-123_456_789_012_345_678_901n), '-$1,234,567,890,123,456,789.01')
})
