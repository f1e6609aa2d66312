/** What one would write first: Fastify, and a SQLite transaction per request on the main thread, as durable as ours. */
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import Fastify from 'fastify'
import { accountNumber } from './accounts.ts'
import { answerBench } from './child.ts'

const [directory = '', accounts = '0'] = process.argv.slice(2)
const db = new DatabaseSync(join(directory, 'naive.db'))
db.exec(`
  pragma journal_mode = wal;
  pragma synchronous = full;
  pragma fullfsync = on;
  create table accounts (number text primary key, balance integer not null) strict;
  create table transactions (
    id integer primary key,
    account text not null,
    amount integer not null,
    balance_after integer not null,
    created_at integer not null
  ) strict;
`)
const insertAccount = db.prepare('insert into accounts (number, balance) values (?, ?)')
db.exec('begin')
for (let i = 0; i < Number(accounts); i += 1) insertAccount.run(accountNumber(i), 100_000_000_000)
db.exec('commit')

const selectBalance = db.prepare('select balance from accounts where number = ?')
const updateBalance = db.prepare('update accounts set balance = ? where number = ?')
const insertTransaction = db.prepare(
  'insert into transactions (account, amount, balance_after, created_at) values (?, ?, ?, ?)',
)

const app = Fastify()
app.post('/accounts/:number/withdraw', (request, reply) => {
  const { number } = request.params as { number: string }
  const amount = Math.round((request.body as { amount: number }).amount * 100)
  db.exec('begin immediate')
  const balance = selectBalance.get(number)?.['balance']
  if (typeof balance !== 'number' || balance < amount) {
    db.exec('rollback')
    return reply.code(400).send({ error: 'Insufficient balance' })
  }
  updateBalance.run(balance - amount, number)
  insertTransaction.run(number, -amount, balance - amount, Date.now())
  db.exec('commit')
  return reply.send({
    account_number: number,
    withdrawn_amount: amount / 100,
    new_balance: (balance - amount) / 100,
    message: 'Withdrawal successful',
  })
})

const url = await app.listen({ host: '127.0.0.1', port: 0 })
answerBench({
  url,
  async stop() {
    await app.close()
    db.close()
  },
})
