/**
 * Makes a fixture with the program of then: `node test/upgrade/make-fixture.ts TREE NAME`, where TREE is a checkout of
 * a release with its node_modules. It is asked for all that it can do, stopped in order, started again, asked for more
 * and killed. What it said is kept beside what it wrote.
 */
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Client, type Scope, type Server, serve } from '../process/support.ts'
import { dump } from './dump.ts'
import { type Asked, type Fixture, fixturesDirectory, type Head } from './fixture.ts'

const [tree = '', name = ''] = process.argv.slice(2)
const ends: (() => unknown)[] = []
const scope: Scope = { after: (end) => void ends.unshift(end) }
const directory = mkdtempSync(join(tmpdir(), 'cashpoint-fixture-'))
const store = join(directory, 'cashpoint.db')
const entry = join(tree, 'packaging', 'launch.cjs')
const env = { CASHPOINT_WEBHOOK_NETWORKS: '127.0.0.1' }

const asked: Asked[] = []
let client: Client
let authorization: string | undefined

/** Asks under a key, and again: what is kept is the repeat, which has no secret in it. Gives the first answer's body. */
async function ask(path: string, content: object, method = 'POST'): Promise<Record<string, unknown>> {
  const key = `${name}-${asked.length + 1}`
  const headers = { 'idempotency-key': key, ...(authorization !== undefined && { authorization }) }
  const body = JSON.stringify(content)
  const sent = { method, body, headers: { 'content-type': 'application/json', ...headers } }
  const first = await client.ask(path, sent)
  const { status, body: said } = await client.ask(path, sent)
  const who = authorization === undefined ? {} : { authorization }
  asked.push({ method, path, body, key, ...who, status, said, by: headOf(store).block })
  return JSON.parse(first.body)
}

async function original(part: string): Promise<void> {
  await ask('/accounts/123456789/withdraw', { amount: 100 })
  await ask('/accounts/987654321/deposit', { amount: '0.01' })
  await ask(`/accounts/new-${part}/deposit`, { amount: 12.34 })
  await ask(`/accounts/new-${part}/withdraw`, { amount: 12.35 })
  await ask('/accounts/nobody/withdraw', { amount: 1 })
  await client.ask('/accounts/555555555/withdraw', {
    method: 'POST',
    body: '{"amount":1}',
    headers: { 'content-type': 'application/json', ...(authorization !== undefined && { authorization }) },
  })
}

const dollars = { currency: 'USD' }

async function movements(part: string): Promise<void> {
  const a = `a-${part}`
  const b = `b-${part}`
  await ask('/v1/accounts', { number: a, overdraft_limit: 500, metadata: { name: 'Ünïcode “quotes”' } })
  await ask('/v1/accounts', { number: b, minimum_balance: 10 })
  await ask('/v1/accounts', { number: b })
  await ask('/v1/deposits', { account: a, amount: 10_000, ...dollars, reference: `salary ${part}` })
  const { id: moved } = await ask('/v1/transfers', { from: a, to: b, amount: 2_500, ...dollars })
  await ask(`/v1/transfers/${moved}/reversals`, { amount: 500 })
  await ask(`/v1/transfers/${moved}/reversals`, { amount: 2_001 })
  const hold = async (amount: number) =>
    (await ask('/v1/holds', { account: a, amount, ...dollars, expires_in: 2_592_000 }))['id']
  await hold(300)
  await ask(`/v1/holds/${await hold(400)}/capture`, { amount: 250 })
  await ask(`/v1/holds/${await hold(500)}/void`, {})
  await ask('/v1/withdrawals', { account: a, amount: 1_000_000, ...dollars, up_to: true })
  const operations = [
    { type: 'deposit', key: `${part}-item`, account: a, amount: 5_000, ...dollars },
    { type: 'transfer', from: a, to: b, amount: 100, ...dollars },
    { type: 'withdrawal', account: b, amount: 1, ...dollars },
  ]
  await ask('/v1/batches', { atomic: true, operations })
  const tooMuch = { type: 'withdrawal', account: b, amount: 9_999_999, ...dollars }
  await ask('/v1/batches', { operations: [{ type: 'deposit', account: b, amount: 7, ...dollars }, tooMuch] })
  await ask('/v1/batches', { atomic: true, operations: [{ ...tooMuch, amount: 9_999_998 }] })
  await ask(`/v1/accounts/new-${part}/state`, { state: 'frozen', reason: 'asked for' }, stateMethod)
}

let stateMethod = 'PUT'

async function limits(part: string): Promise<void> {
  const a = `a-${part}`
  await ask(
    `/v1/accounts/${a}/limits`,
    { transaction_amount: 600, daily_amount: 1_000, daily_count: 3 },
    'PUT',
  )
  await ask('/v1/deposits', { account: a, amount: 3_000, ...dollars })
  await ask('/v1/withdrawals', { account: a, amount: 601, ...dollars })
  await ask('/v1/withdrawals', { account: a, amount: 600, ...dollars })
  await ask('/v1/withdrawals', { account: a, amount: 401, ...dollars })
}

async function registry(part: string): Promise<void> {
  const make = async (role: string) =>
    (await ask('/v1/credentials', { role, name: `${role} ${part}` })) as { id: string; key: string }
  const admin = await make('admin')
  authorization ??= `Bearer ${admin.key}`
  const teller = await make('teller')
  const gone = await make('auditor')
  await ask(`/v1/credentials/${gone.id}/revoke`, {})
  const hook = await ask('/v1/webhooks', {
    url: 'http://127.0.0.1:9/hook',
    types: ['cashpoint.transfer.posted'],
  })
  if (part === 'second') await ask(`/v1/webhooks/${hook['id']}/disable`, {})
  const adjust = { account: '555555555', direction: 'credit', ...dollars, reason: 'found in the drawer' }
  await ask('/v1/adjustments', { ...adjust, amount: 5 })
  const large = await ask('/v1/adjustments', { ...adjust, amount: 20_000 })
  await ask('/v1/adjustments', { ...adjust, amount: 30_000 })
  await ask(`/v1/adjustments/${large['id']}/approve`, {})
  // Another person is another name.
  const other = (await ask('/v1/credentials', { role: 'admin', name: `second admin ${part}` })) as {
    key: string
  }
  const before = authorization
  authorization = `Bearer ${other.key}`
  await ask(`/v1/adjustments/${large['id']}/approve`, {})
  authorization = `Bearer ${teller.key}`
  await ask('/v1/deposits', { account: '555555555', amount: 77, ...dollars })
  authorization = before
}

async function work(server: Server, part: string): Promise<void> {
  client = new Client(server)
  const document = await client.ask('/openapi.json')
  const has = (path: string) => document.status === 200 && path in JSON.parse(document.body).paths
  const state = document.status === 200 && JSON.parse(document.body).paths['/v1/accounts/{number}/state']
  stateMethod = state?.put ? 'PUT' : state?.patch ? 'PATCH' : 'POST'
  if (has('/v1/credentials')) await registry(part)
  await original(part)
  if (has('/v1/accounts')) await movements(part)
  if (has('/v1/accounts/{number}/limits')) await limits(part)
  client.close()
}

function headOf(path: string): Head {
  const db = new DatabaseSync(path, { readOnly: true })
  const head = db
    .prepare('select sequence as block, last, hash from blocks order by sequence desc limit 1')
    .get()
  db.close()
  return { ...head } as Head
}

const headFile = join(directory, 'cashpoint.head')
const headFileText = () => (existsSync(headFile) ? readFileSync(headFile, 'utf8') : undefined)

const first = await serve(scope, { path: store, entry, env })
await work(first, 'first')
await first.stop()
const stopped = { ...headOf(store), headFile: headFileText() }
const index = dump(store.replace(/\.db$/, '-index.db'))

const second = await serve(scope, { path: store, entry, env })
await work(second, 'second')
client = new Client(second)
const headers: Record<string, string> = authorization === undefined ? {} : { authorization }
const { body: accounts } = await client.ask('/accounts', { headers })
client.close()
await second.kill()

const target = join(fixturesDirectory, name)
rmSync(target, { recursive: true, force: true })
mkdirSync(target, { recursive: true })
writeFileSync(join(target, 'journal.sql'), dump(store))
writeFileSync(join(target, 'index.sql'), index)
const keys = join(directory, 'keys.json')
if (existsSync(keys)) cpSync(keys, join(target, 'keys.json'))
const head = { ...headOf(store), headFile: headFileText() }
const schema = Number(/user_version = ([0-9]+)/.exec(readFileSync(join(target, 'journal.sql'), 'utf8'))?.[1])
const fixture: Fixture = { schema, stopped, killed: head, accounts, asked }
writeFileSync(join(target, 'says.json'), `${JSON.stringify(fixture, null, 2)}\n`)
for (const end of ends) await end()
rmSync(directory, { recursive: true, force: true })
const statuses = asked.map(({ method, path, status }) => `${method} ${path} ${status}`)
console.log(`${name}: schema ${schema}, ${head.block} blocks\n${statuses.join('\n')}`)
process.exit(0)
