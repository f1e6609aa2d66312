/** The server one would write first, in memory, with a wait between reading and writing; and one defect at a time. */
import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { setTimeout as wait } from 'node:timers/promises'
import type { Scope } from '../process/support.ts'

export type Defect =
  | 'lost update'
  | 'double spend'
  | 'forgotten decline'
  | 'no keys'
  | 'reply differs on replay'
  | 'acknowledged deposit lost'
  | 'stale read'
  | 'two openings'
  | 'done after 423'
  | 'done after 503'
  | 'floats'
  | 'transfer that never credits'

type Reply = { readonly status: number; readonly body: string }

/** Serves the original routes, and transfers of /v1 where `v1` says so; correct unless it has a defect. */
export async function naiveServer(
  scope: Scope,
  { defect, v1 = false }: { defect?: Defect; v1?: boolean } = {},
): Promise<URL> {
  // Cents; where the defect is floats, dollars.
  const accounts = new Map<string, number>()
  const older = new Map<string, number>()
  const keys = new Map<string, { readonly sent: string; reply: Promise<Reply> }>()
  const scale = defect === 'floats' ? 1 : 100
  let turn: Promise<unknown> = Promise.resolve()
  let deposits = 0
  let posts = 0

  const write = (amount: number) => (defect === 'floats' ? String(amount) : (amount / 100).toFixed(2))
  const set = (number: string, balance: number) => {
    older.set(number, accounts.get(number) ?? balance)
    accounts.set(number, balance)
  }
  const no = (status: number, code: string, error = code): Reply => ({
    status,
    body: JSON.stringify({ code, error }),
  })

  async function move(number: string, kind: string, amount: number): Promise<Reply> {
    const before = accounts.get(number)
    await wait(1)
    if (kind === 'withdraw') {
      if (before === undefined) return no(404, 'account_not_found')
      if (before < amount) return no(400, 'insufficient_funds', 'Insufficient balance')
      set(number, (defect === 'double spend' ? (accounts.get(number) ?? 0) : before) - amount)
      return { status: 200, body: `{"account_number":"${number}","new_balance":${write(before - amount)}}` }
    }
    deposits += 1
    const after = (before ?? 0) + amount
    if (defect !== 'acknowledged deposit lost' || deposits % 40 !== 0) set(number, after)
    const created = before === undefined || (defect === 'two openings' && deposits % 30 === 0)
    return {
      status: 200,
      body: `{"account_number":"${number}","new_balance":${write(after)},"account_created":${created}}`,
    }
  }

  async function transfer(sent: string): Promise<Reply> {
    const { from, to, amount } = JSON.parse(sent)
    await wait(1)
    const left = (accounts.get(from) ?? 0) - amount
    if (left < 0) return no(422, 'insufficient_funds', 'Insufficient balance')
    set(from, left)
    const there = (accounts.get(to) ?? 0) + amount
    if (defect !== 'transfer that never credits') set(to, there)
    const side = (account: string, ledger: number) => `{"account":"${account}","ledger":${ledger}}`
    return { status: 201, body: `{"balances":[${side(from, left)},${side(to, there)}]}` }
  }

  /** One at a time, but where the defect is that nobody waits. */
  function inTurn(does: () => Promise<Reply>, kind: string): Promise<Reply> {
    if (defect === 'lost update' || (defect === 'double spend' && kind === 'withdraw')) return does()
    const reply = turn.then(does)
    turn = reply
    return reply
  }

  async function post(path: string, sent: string, key: string | undefined): Promise<Reply> {
    const [, number = '', kind = ''] = /^\/accounts\/([^/]+)\/(withdraw|deposit)$/.exec(path) ?? []
    const amount = Number(/"amount": ?([0-9.]+)/.exec(sent)?.[1]) * scale
    const cents = defect === 'floats' ? amount : Math.round(amount)
    const does = () => (path === '/v1/transfers' ? transfer(sent) : move(number, kind, cents))
    const known = keys.get(key ?? '')
    if (known !== undefined) {
      if (known.sent !== path + sent) return no(422, 'idempotency_conflict')
      const { status, body } = await known.reply
      return defect === 'reply differs on replay' ? { status, body: `${body} ` } : { status, body }
    }
    const busy = { 'done after 423': 423, 'done after 503': 503 }[defect as string]
    posts += 1
    if (busy !== undefined && posts % 11 === 0) {
      await inTurn(does, kind)
      return no(busy, busy === 423 ? 'account_busy' : 'store_unavailable')
    }
    const reply = inTurn(does, kind)
    if (key !== undefined && defect !== 'no keys') keys.set(key, { sent: path + sent, reply })
    if (defect === 'forgotten decline' && (await reply).status >= 400) keys.delete(key ?? '')
    return reply
  }

  async function get(path: string): Promise<Reply> {
    if (path === '/') return { status: 200, body: '{}' }
    const rows = [...accounts].map(([n, b]) => `{"account_number":"${n}","balance":${write(b)}}`)
    if (path.startsWith('/accounts?') || path === '/accounts')
      return { status: 200, body: `{"accounts":[${rows.join(',')}],"total_accounts":${rows.length}}` }
    const [, of = '', number = '', simple] =
      /^\/(v1\/accounts|accounts)\/([^/?]+)(?:\/balance(\?simple=true)?)?$/.exec(path) ?? []
    const balance = (defect === 'stale read' ? older : accounts).get(number)
    if (balance === undefined || (of === 'v1/accounts' && !v1)) return no(404, 'account_not_found')
    if (of === 'v1/accounts') return { status: 200, body: `{"currency":"USD","ledger":${balance}}` }
    return { status: 200, body: simple ? write(balance) : `{"balance":${write(balance)}}` }
  }

  const server = createServer(async (request: IncomingMessage, response) => {
    const sent = await text(request).catch(() => undefined)
    if (sent === undefined) return
    const { url = '', method } = request
    const reply = await (method === 'GET'
      ? get(url)
      : post(url, sent, request.headers['idempotency-key'] as string | undefined))
    response.writeHead(reply.status, { 'content-type': 'application/json' }).end(reply.body)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  scope.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
}
