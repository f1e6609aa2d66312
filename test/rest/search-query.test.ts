/** What an operator types, and as what it is read. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { businessDays } from '../../src/bank/business-day.ts'
import { type Reading, readQuery } from '../../src/rest/v1/search-query.ts'

// In New York it is still the 25th, 23:30.
const now = Date.parse('2026-11-26T04:30:00Z')
const utc = { now, dayOf: businessDays('UTC') }

/** A reading in a few words. */
function say(reading: Reading): string {
  switch (reading.is) {
    case 'terminal':
    case 'exception':
    case 'transfer':
      return `${reading.is} ${reading.id}`
    case 'operation':
      return reading.terminal === undefined ? `id ${reading.id}` : `id ${reading.terminal} ${reading.id}`
    case 'account':
      return `account ${reading.number}`
    case 'card':
      return `card ${reading.pan}`
    case 'last4':
      return `last4 ${reading.last4}`
    case 'stan':
      return `stan ${reading.stan}`
    case 'rrn':
      return `rrn ${reading.rrn}`
    case 'authorization_code':
      return `code ${reading.code}`
    case 'amount': {
      const { decimal, currency = 'any', from, to } = reading
      return `${decimal} ${currency} ${new Date(from).toISOString()} ${(to - from) / 3_600_000}h`
    }
  }
}

const table: readonly (readonly [string, readonly string[]])[] = [
  ['ATM00001', ['terminal ATM00001', 'account ATM00001', 'id ATM00001']],
  [' atm00001 ', ['terminal ATM00001', 'account atm00001', 'id atm00001']],
  ['w-1.x_2', ['id w-1.x_2']],
  ['ATM00001/w1', ['id ATM00001 w1']],
  ['atm00001/W1', ['id ATM00001 W1']],
  ['ATM00001/w1/x', []],
  ['ATM00001/', []],
  ['/w1', []],
  ['toolongforaterminal', ['account toolongforaterminal', 'id toolongforaterminal']],
  ['0119', ['terminal 0119', 'account 0119', 'id 0119', 'last4 0119', 'stan 000119']],
  ['••••0119', ['last4 0119']],
  ['****0119', ['last4 0119']],
  ['•••• 0119', ['last4 0119']],
  ['7', ['terminal 7', 'account 7', 'id 7', 'stan 000007']],
  ['000042', ['terminal 000042', 'account 000042', 'id 000042', 'stan 000042', 'code 000042']],
  ['0000042', ['terminal 0000042', 'account 0000042', 'id 0000042']],
  ['ABC123456789', ['terminal ABC123456789', 'account ABC123456789', 'id ABC123456789', 'rrn ABC123456789']],
  ['633001000043', ['terminal 633001000043', 'account 633001000043', 'id 633001000043', 'rrn 633001000043']],
  ['1-42', ['account 1-42', 'transfer 1-42', 'id 1-42']],
  ['exc_0mwxmu8as-1-34', ['exception exc_0mwxmu8as-1-34', 'id exc_0mwxmu8as-1-34']],
  [
    '4761739001010119',
    ['terminal 4761739001010119', 'account 4761739001010119', 'id 4761739001010119', 'card 4761739001010119'],
  ],
  ['4761 7390 0101 0119', ['card 4761739001010119']],
  ['4761-7390-0101-0119', ['account 4761-7390-0101-0119', 'id 4761-7390-0101-0119', 'card 4761739001010119']],
  ['4761739001010118', ['terminal 4761739001010118', 'account 4761739001010118', 'id 4761739001010118']],
  ['4761 7390 0101 0118', []],
  ['60.00 2026-11-26', ['60 any 2026-11-26T00:00:00.000Z 24h']],
  ['60 today', ['60 any 2026-11-26T00:00:00.000Z 24h']],
  ['60 Today', ['60 any 2026-11-26T00:00:00.000Z 24h']],
  ['0060,50  yesterday', ['60.5 any 2026-11-25T00:00:00.000Z 24h']],
  ['60 eur 2026-01-31', ['60 EUR 2026-01-31T00:00:00.000Z 24h']],
  ['60EUR 2026-01-31', ['60 EUR 2026-01-31T00:00:00.000Z 24h']],
  ['60 26.11.', ['60 any 2026-11-26T00:00:00.000Z 24h']],
  ['60 27.11.', ['60 any 2025-11-27T00:00:00.000Z 24h']],
  ['60 1.2.2024', ['60 any 2024-02-01T00:00:00.000Z 24h']],
  ['60 2026-02-30', []],
  ['60 29.2.2026', []],
  ['60 32.1.', []],
  ['60 tomorrow', []],
  ['0 today', []],
  ['60 XXX today', []],
  ['-60 today', []],
  ['1.23456 today', []],
  ['99999999999999 today', []],
  ['60', ['terminal 60', 'account 60', 'id 60', 'stan 000060']],
  ['60.00', ['id 60.00']],
  ['no such thing', []],
  ['ü', []],
  ['%00', []],
]

test('whatever is typed is read as all that it can be, and as nothing else', () => {
  for (const [typed, expected] of table) assert.deepEqual(readQuery(typed, utc).map(say), expected, typed)
})

test('a day is as long as it is where the bank is', () => {
  const days = (zone: string, typed: string) => readQuery(typed, { now, dayOf: businessDays(zone) }).map(say)
  assert.deepEqual(days('America/New_York', '60 today'), ['60 any 2026-11-25T05:00:00.000Z 24h'])
  assert.deepEqual(days('America/New_York', '60 yesterday'), ['60 any 2026-11-24T05:00:00.000Z 24h'])
  assert.deepEqual(days('America/New_York', '60 26.11.'), ['60 any 2025-11-26T05:00:00.000Z 24h'])
  assert.deepEqual(days('Asia/Jerusalem', '60 2026-03-27'), ['60 any 2026-03-26T22:00:00.000Z 23h'])
  assert.deepEqual(days('Asia/Jerusalem', '60 2026-10-25'), ['60 any 2026-10-24T21:00:00.000Z 25h'])
  assert.deepEqual(days('Pacific/Kiritimati', '60 2026-11-26'), ['60 any 2026-11-25T10:00:00.000Z 24h'])
  assert.deepEqual(days('Pacific/Pago_Pago', '60 2026-11-26'), ['60 any 2026-11-26T11:00:00.000Z 24h'])
  // Samoa went over the date line: there was no 30th.
  assert.deepEqual(days('Pacific/Apia', '60 2011-12-30'), [])
  assert.deepEqual(days('Pacific/Apia', '60 2011-12-29'), ['60 any 2011-12-29T10:00:00.000Z 24h'])
})
