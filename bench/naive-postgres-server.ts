/** What one would write first on PostgreSQL: Fastify, and a transaction per request over a pool, as durable as ours. */
import Fastify from 'fastify'
import pg from 'pg'
import { answerBench } from './child.ts'

const [url = ''] = process.argv.slice(2)
const pool = new pg.Pool({ connectionString: url, max: 64 })

const app = Fastify()
app.post('/accounts/:number/withdraw', async (request, reply) => {
  const { number } = request.params as { number: string }
  const amount = Math.round((request.body as { amount: number }).amount * 100)
  const client = await pool.connect()
  try {
    await client.query('begin')
    const { rows } = await client.query('select balance from naive_accounts where number = $1 for update', [
      number,
    ])
    const balance = Number(rows[0]?.balance)
    if (!(balance >= amount)) {
      await client.query('rollback')
      return await reply.code(400).send({ error: 'Insufficient balance' })
    }
    await client.query('update naive_accounts set balance = $1 where number = $2', [balance - amount, number])
    await client.query(
      'insert into naive_transactions (account, amount, balance_after, created_at) values ($1, $2, $3, $4)',
      [number, -amount, balance - amount, Date.now()],
    )
    await client.query('commit')
    return await reply.send({
      account_number: number,
      withdrawn_amount: amount / 100,
      new_balance: (balance - amount) / 100,
      message: 'Withdrawal successful',
    })
  } finally {
    client.release()
  }
})

const listening = await app.listen({ host: '127.0.0.1', port: 0 })
answerBench({
  url: listening,
  async stop() {
    await app.close()
    await pool.end()
  },
})
