/** What a till does: `node client.ts http://localhost:5000`, with a Cashpoint running there. */
import { Cashpoint, CashpointError } from 'cashpoint/client'

const cashpoint = new Cashpoint({ url: process.argv[2] ?? 'http://localhost:5000' })

// Each call has one key of its own and keeps it while it is tried again: what ends well was done once.
const { number } = await cashpoint.openAccount({ currency: 'USD', limits: { daily_amount: 50_000 } })
const deposit = await cashpoint.deposit({ account: number, amount: 100_000, currency: 'USD' })
console.log(`paid in ${deposit.amount} under ${deposit.id}`)

const hold = await cashpoint.hold({ account: number, amount: 30_000, currency: 'USD' })
await cashpoint.capture(hold.id, { amount: 20_000 })

try {
  await cashpoint.withdraw({ account: number, amount: 30_001, currency: 'USD' })
} catch (error) {
  // A no is an answer, and is not tried again.
  if (!(error instanceof CashpointError) || error.code !== 'limit_exceeded') throw error
  console.log(`refused: ${error.message}`)
}

const { ledger, available } = await cashpoint.balance(number)
console.log(`ledger ${ledger}, available ${available}`)

// From the deposit on, and on and on: a program that was killed goes on with the last id it kept.
for await (const event of cashpoint.events({ after: deposit.id })) {
  console.log(event.type)
  if (event.type === 'cashpoint.transfer.posted') break
}
