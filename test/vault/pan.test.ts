/** Card numbers: how long they are, and whether their last digit is right. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hasCheckDigit, isPan, lastFour } from '../../src/vault/pan.ts'

test('a card number has 12 to 19 digits and nothing else', () => {
  for (const pan of ['123456789012', '4761739001010119', '1234567890123456789']) assert.ok(isPan(pan), pan)
  for (const text of ['', '12345678901', '12345678901234567890', '4761 7390 0101 0119', '476173900101011x'])
    assert.ok(!isPan(text), text)
  assert.ok(!isPan('4761739001010119\n'), 'a line end is no digit')
  assert.ok(!isPan('４７６１７３９００１０１０１１９'), 'nor is one of another script')
})

test('the check digit is Luhn’s', () => {
  const right = [
    '4761739001010119',
    '4761739001010127',
    '4761739001010135',
    '79927398713',
    '4111111111111111',
  ]
  for (const pan of right) {
    assert.ok(hasCheckDigit(pan), pan)
    const last = Number(pan.at(-1))
    for (let digit = 0; digit < 10; digit += 1)
      assert.equal(hasCheckDigit(`${pan.slice(0, -1)}${digit}`), digit === last, `${pan} with ${digit}`)
  }
})

test('of a card number the last four are kept', () => {
  assert.equal(lastFour('4761739001010119'), '0119')
})
