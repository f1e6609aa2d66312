/**
 * "I got no money": a withdrawal is found by whatever somebody knows of it, and what happened to it is told, of machines
 * that speak REST and of those that speak ISO 8583.
 */
import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { after, test } from 'node:test'
import { request, reversalOf, serveIso } from '../iso8583/support.ts'
import { assertNoSecrets } from '../support/card-secrets.ts'
import { done, issue, pans, pin, serveAtm } from './atm-support.ts'
import { assertRefused, serveV1 } from './v1-support.ts'

type Told = Readonly<Record<string, unknown>>

const iso = await serveIso({ after })
const { v1, authorize, start, confirm, reverse, suspect, act } = iso
const line = await iso.dial()
const rrn = '630012000042'
const asked = request('010000', 2000, { 11: '000042', 37: rrn })
const usd = { currency: 'USD' }

done(await authorize('w1', 6000), 201)
done(await start('w1'), 200)
done(await confirm('w1', { C1: 1, C3: 1 }), 200)
const w2 = await suspect('w2', 4000)
assert.equal((await authorize('w3', 9_000_000)).status, 422)
assert.equal((await line.ask('0200', asked))[39], '00')
assert.equal((await line.ask('0200', request('010000', 2000, { 11: '000043' })))[39], '00')
done(await reverse('w9'), 200)
done(await act('deposits', { id: 'd1', account: 'B', ...usd, notes: { 5000: 1, 1000: 1 } }), 201)
const s1 = done(await act('transfers', { id: 's1', pan: pans.a, pin, to: 'B', amount: 700, ...usd }), 201)
const moved = `transfer ${s1['transfer']}`
const isoId = `iso-1-000042-${asked[13]}${asked[12]}`

async function list(query: string): Promise<string[]> {
  const { withdrawals } = done(await v1.get(`/withdrawals?${query}`), 200)
  return (withdrawals as unknown as Told[]).map(
    ({ terminal, id }) => `${terminal} ${String(id).slice(0, 12)}`,
  )
}

async function search(q: string): Promise<{ q: unknown; found: Told[]; more: unknown }> {
  return done(await v1.get(`/search?q=${encodeURIComponent(q)}`), 200) as never
}

/** The hits in a word each, such as `withdrawal w1`. */
async function hits(q: string): Promise<string[]> {
  const { found } = await search(q)
  return found.map(({ kind, ...body }) => {
    const of = body[String(kind)] as Told
    return `${kind} ${String(of['number'] ?? (kind === 'card' ? of['last4'] : of['id'])).slice(0, 12)}`
  })
}

const T = 'ATM00001'
const [i42, i43] = [`${T} iso-1-000042`, `${T} iso-1-000043`]

test('withdrawals are listed by how they were numbered, newest first', async () => {
  const all = [`${T} w9`, i43, i42, `${T} w3`, `${T} w2`, `${T} w1`]
  assert.deepEqual(await list(''), all)
  assert.deepEqual(await list('terminal=ATM00001'), all)
  assert.deepEqual(await list('terminal=ATM1'), [])
  assert.deepEqual(await list('account=A'), [i43, i42, `${T} w2`, `${T} w1`])
  assert.deepEqual(await list('last4=0119'), [`${T} w3`, `${T} w2`, `${T} w1`])
  assert.deepEqual(await list('last4=0127&amount=2000'), [i43, i42])
  assert.deepEqual(await list('stan=42'), [i42])
  assert.deepEqual(await list(`rrn=${rrn}`), [i42])
  assert.deepEqual(await list('amount=4000&currency=USD'), [`${T} w2`])
  assert.deepEqual(await list('amount=4000&currency=EUR'), [])
  assert.deepEqual(await list('state=suspect'), [`${T} w2`])
  assert.deepEqual(await list('state=declined&last4=0119'), [`${T} w3`])
  assert.deepEqual(await list('state=authorized&account=A'), [i43, i42])
  const code = String(w2['authorization_code'])
  assert.deepEqual(await list(`authorization_code=${code}`), [`${T} w2`])
  assert.deepEqual(await list('from=2000-01-01&to=2100-01-01'), all)
  assert.deepEqual(await list('to=2000-01-01'), [])
  assert.deepEqual(await list('from=2100-01-01&account=A'), [])
})

test('a tombstone says whose it is and what it was about', async () => {
  const { withdrawals } = done(await v1.get('/withdrawals?limit=1'), 200)
  const [found] = withdrawals as unknown as Told[]
  const { created_at, ...told } = found ?? {}
  assert.equal(typeof created_at, 'string')
  assert.deepEqual(told, {
    id: 'w9',
    terminal: T,
    state: 'reversed',
    tombstone: true,
    amount: 0,
    currency: 'USD',
    account: null,
    last4: null,
    exception: null,
  })
})

test('a filter that is none is named', async () => {
  for (const [query, what] of [
    ['terminal=atm', /terminal must be/],
    ['account=a b', /account must be/],
    ['account=cash:USD', /account must be/],
    ['last4=123', /last4 must be 4 digits/],
    ['stan=1234567', /stan must be 1 to 6 digits/],
    ['stan=', /stan must be/],
    ['rrn=1234567890123', /rrn must be/],
    ['authorization_code=12345', /authorization_code must be 6 digits/],
    ['amount=1.5', /amount must be a whole number/],
    ['amount=0', /amount must be/],
    ['currency=XXX', /currency must be/],
    ['state=open', /state must be one of declined/],
    ['from=yesterday', /from must be an instant/],
    ['limit=0', /limit must be/],
    ['stan=1&stan=2', /stan must be/],
  ] as const) {
    const said = await v1.get(`/withdrawals?${query}`)
    assertRefused(said, 400, 'invalid_request')
    assert.match(String(said.body['detail']), what)
  }
  assertRefused(await v1.get('/withdrawals?cursor=x'), 400, 'page_invalid')
  for (const q of ['', '%20', 'x'.repeat(141), 'a&q=b']) {
    const said = await v1.get(`/search?q=${q}`)
    assertRefused(said, 400, 'invalid_request')
    assert.match(String(said.body['detail']), /q must be/)
  }
  assertRefused(await v1.get('/search'), 400, 'invalid_request')
})

test('pages lead from one to the next, by cursor and by link', async () => {
  const seen: string[] = []
  let path: string | undefined = '/withdrawals?account=A&limit=1'
  while (path !== undefined) {
    const said = await v1.get(path)
    const { withdrawals, next } = done(said, 200)
    seen.push(...(withdrawals as unknown as Told[]).map(({ id }) => String(id).slice(0, 12)))
    const link = /^<\/v1(.*)>; rel="next"$/.exec(said.headers.get('link') ?? '')?.[1]
    assert.equal(link !== undefined, next !== null)
    if (link !== undefined) assert.match(link, new RegExp(`account=A&limit=1&cursor=${next}`))
    path = link
  }
  assert.deepEqual(seen, ['iso-1-000043', 'iso-1-000042', 'w2', 'w1'])
})

test('one search finds it by whatever is known: what is called so first, then the newest', async () => {
  const ofA = ['iso-1-000043', 'iso-1-000042', 'w2', 'w1'].map((id) => `withdrawal ${id}`)
  assert.deepEqual(await hits('ATM00001'), ['terminal ATM00001'])
  assert.deepEqual(await hits('atm1'), ['terminal ATM1'])
  assert.deepEqual(await hits('w1'), ['withdrawal w1'])
  assert.deepEqual(await hits('ATM00001/w1'), ['withdrawal w1'])
  assert.deepEqual(await hits('ATM1/w1'), [])
  assert.deepEqual(await hits(isoId), ['withdrawal iso-1-000042'])
  assert.deepEqual(await hits('A'), ['account A', moved, ...ofA])
  assert.deepEqual(await hits('s1'), [moved])
  assert.deepEqual(await hits('0119'), ['card 0119', 'withdrawal w3', 'withdrawal w2', 'withdrawal w1'])
  assert.deepEqual(await hits('••••\u00a00127'), ['card 0127', ofA[0], ofA[1]])
  assert.deepEqual(await hits('42'), [ofA[1]])
  assert.deepEqual(await hits('000042'), [ofA[1]])
  assert.deepEqual(await hits(rrn), [ofA[1]])
  assert.deepEqual(await hits(String(w2['authorization_code'])), ['withdrawal w2'])
  assert.deepEqual(await hits('d1'), ['deposit d1'])
  assert.deepEqual(await hits(String(w2['exception'])), [`exception ${String(w2['exception']).slice(0, 12)}`])
  const [transfer] = w2['transfers'] as unknown as string[]
  assert.deepEqual(await hits(String(transfer)), [`transfer ${transfer}`])
  assert.deepEqual(await hits('nothing-of-the-kind'), [])
  assert.deepEqual(await hits('two words'), [])
})

test('an amount and a day find what was asked for, and what was paid in', async () => {
  assert.deepEqual(await hits('40 today'), ['withdrawal w2'])
  assert.deepEqual(await hits('40.00 usd today'), ['withdrawal w2'])
  assert.deepEqual(await hits('40 eur today'), [])
  assert.deepEqual(await hits('40 jpy today'), [])
  assert.deepEqual(await hits('60,00 today'), ['deposit d1', 'withdrawal w1'])
  assert.deepEqual(await hits('7 today'), [moved])
  assert.deepEqual(await hits(`60 ${new Date().toISOString().slice(0, 10)}`), ['deposit d1', 'withdrawal w1'])
  assert.deepEqual(await hits('60 yesterday'), [])
  assert.deepEqual(await hits('4000 today'), [])
})

test('each hit shows what a row of it shows', async () => {
  const only = async (q: string) => (await search(q)).found[0]
  assert.deepEqual(await only('ATM00001'), {
    kind: 'terminal',
    terminal: { id: T, name: 'Lobby', state: 'in_service' },
  })
  const account = (await only('B'))?.['account'] as Told
  assert.deepEqual(account, {
    number: 'B',
    currency: 'USD',
    ledger: 6700,
    available: 6700,
    state: 'active',
  })
  const withdrawal = (await only('w1'))?.['withdrawal']
  assert.deepEqual(withdrawal, done(await v1.get('/terminals/ATM00001/withdrawals/w1'), 200))
  const deposit = (await only('d1'))?.['deposit'] as Told
  assert.deepEqual(
    { ...deposit, created_at: '' },
    {
      terminal: T,
      id: 'd1',
      account: 'B',
      amount: 6000,
      currency: 'USD',
      state: 'completed',
      created_at: '',
    },
  )
  const card = (await only('0127'))?.['card'] as Told
  assert.deepEqual(card, done(await v1.get(`/cards/${iso.card}`), 200))
})

test('more than fifty hits are fifty, and it is said that there are more', async (t) => {
  const { v1, authorize } = await serveAtm(t)
  const told = async (q: string) => {
    const { found, more } = done(await v1.get(`/search?q=${q}`), 200)
    const of = found as unknown as { kind: string; withdrawal?: { id: string } }[]
    return [of.length, more, of[1]?.withdrawal?.id, of.at(-1)?.withdrawal?.id]
  }
  const authorizeTo = async (from: number, to: number) => {
    for (let i = from; i < to; i += 1) done(await authorize(`m${i}`, 1000), 201)
  }
  // The account first, and the withdrawals.
  await authorizeTo(0, 49)
  assert.deepEqual(await told('A'), [50, false, 'm48', 'm0'])
  await authorizeTo(49, 50)
  assert.deepEqual(await told('A'), [50, true, 'm49', 'm1'])
  await authorizeTo(50, 52)
  assert.deepEqual(await told('A'), [50, true, 'm51', 'm3'])
  assert.deepEqual(await told('0119'), [50, true, 'm51', 'm3'])
  assert.deepEqual(await told('m7'), [1, false, undefined, 'm7'])
})

test('a card number that is typed is looked up, and neither told back nor logged', async (t) => {
  const logLines: string[] = []
  const { v1, authorize } = await serveAtm(t, { logLines })
  done(await authorize('w1', 6000), 201)
  // Another card that ends alike.
  const alike = '4761739001190119'
  await issue(v1, { pan: alike, account: 'B' })
  assert.equal((await authorize('w2', 6000, { pan: alike })).status, 422)
  const ask = async (q: string) => {
    const said = await v1.get(`/search?q=${encodeURIComponent(q)}`)
    assertNoSecrets(q, `${said.text} ${JSON.stringify([...said.headers])}`)
    const { q: toldBack, found } = done(said, 200) as unknown as { q: string; found: Told[] }
    return [toldBack, ...found.map(({ kind }) => kind)]
  }
  for (const typed of [pans.a, '4761 7390 0101 0119', ` ${pans.a}`])
    assert.deepEqual(await ask(typed), ['0119', 'card', 'withdrawal'])
  assert.deepEqual(await ask('0119'), ['0119', 'card', 'card', 'withdrawal', 'withdrawal'])
  // Nobody’s card.
  assert.deepEqual(await ask(pans.none), ['0135'])
  assertRefused(await v1.get(`/search?q=${pans.a}&q=${pans.a}`), 400, 'invalid_request')
  assertRefused(await v1.get(`/withdrawals?account=x y&rrn=${pans.a}`), 400, 'invalid_request')
  assert.ok(logLines.length > 5)
  assertNoSecrets('the log', logLines.join('\n'))
})

test('an account or a reference that looks like a card number is found, and told back', async (t) => {
  const { v1, dial } = await serveIso(t)
  const [account, reference] = ['4539578763621486', '630012000018']
  done(await v1.post('/accounts', { number: account }), 201)
  const line = await dial()
  assert.equal((await line.ask('0200', request('010000', 2000, { 37: reference })))[39], '00')
  for (const [typed, kind] of [
    [account, 'account'],
    [reference, 'withdrawal'],
  ]) {
    const { q, found } = done(await v1.get(`/search?q=${typed}`), 200) as unknown as {
      q: string
      found: Told[]
    }
    assert.deepEqual([q, ...found.map((hit) => hit['kind'])], [typed, kind])
  }
})

test('without keys a card is found by its last four digits alone', async (t) => {
  const { v1 } = await serveAtm(t)
  const path = v1.cashpoint.path
  await v1.cashpoint.stop()
  const without = await serveV1(t, { path, vault: undefined })
  const { q, found } = done(await without.get(`/search?q=${pans.a}`), 200)
  assert.deepEqual([q, found], ['0119', []])
  const { found: byLast4 } = done(await without.get('/search?q=0119'), 200)
  assert.equal((byLast4 as unknown as Told[])[0]?.['kind'], 'card')
})

test('a history tells who asked, what was decided, what was posted and what was said of it', async () => {
  const history = await historyOf('w1')
  assert.deepEqual(
    history.map(({ kind, transfers }) => [kind, ...transfers.map(sidesOf)]),
    [
      ['withdrawal_authorized', 'A > ATM00001.transit 6000'],
      ['withdrawal_started'],
      ['withdrawal_settled', 'ATM00001.transit > ATM00001.cash 6000'],
    ],
  )
  const [first, , last] = history
  assert.equal(first?.detail['amount'], 6000)
  assert.deepEqual(first?.detail['units'], { C1: 1, C3: 1 })
  assert.equal(first?.detail['last4'], '0119')
  assert.deepEqual(
    [last?.detail['state'], last?.detail['by'], last?.detail['advice']],
    ['completed', 'confirm', 'confirm'],
  )
  assert.deepEqual(first?.by, { actor: '', name: null })
  const records = history.map(({ record }) => record)
  assert.deepEqual(records, records.toSorted(bySequence))
})

test('of a message its numbers are told, and what a close made of silence', async (t) => {
  const { v1, dial, at, reverse } = await serveIso(t)
  const line = await dial()
  const asked = request('010000', 2000, { 37: rrn })
  assert.equal((await line.ask('0200', asked))[39], '00')
  const id = `iso-1-${asked[11]}-${asked[13]}${asked[12]}`
  done(await v1.post(`${at}/close`, { batch: 1 }, { 'idempotency-key': 'c' }), 200)
  done(await reverse(id), 200)
  const { history } = done(await v1.get(`${at}/withdrawals/${id}/history`), 200)
  const told = history as unknown as Step[]
  const [first, closed, taken] = told
  assert.deepEqual(
    told.map(({ kind }) => kind),
    ['withdrawal_authorized', 'withdrawal_settled', 'withdrawal_settled', 'exception_opened'],
  )
  assert.deepEqual(
    [first?.by.actor, first?.detail['stan'], first?.detail['rrn'], first?.detail['local']],
    ['iso8583', asked[11], rrn, `${asked[13]}${asked[12]}`],
  )
  assert.deepEqual([closed?.detail['by'], closed?.detail['mix_assumed']], ['close', true])
  assert.deepEqual([taken?.detail['by'], taken?.detail['state']], ['reverse', 'reversed'])
  assert.equal(told.at(-1)?.detail['exception_type'], 'late_reversal')

  // Taken back before it came.
  const early = request('010000', 3000)
  await line.ask('0420', reversalOf('0200', early))
  assert.equal((await line.ask('0200', early))[39], '94')
  const [tombstone] = (await v1.get('/withdrawals?limit=1')).body['withdrawals'] as unknown as Told[]
  const of = done(await v1.get(`${at}/withdrawals/${tombstone?.['id']}/history`), 200)
  const [forestalled] = of['history'] as unknown as Step[]
  assert.equal(forestalled?.kind, 'withdrawal_forestalled')
  assert.deepEqual([forestalled?.detail['stan'], forestalled?.detail['advice']], [early[11], 'reverse'])
})

test('each role finds what it may read, and a terminal its own', async (t) => {
  const { v1, suspect, authorize, at } = await serveAtm(t, { adjustmentThreshold: 1000 })
  const w1 = await suspect('w1', 6000)
  done(await authorize('w2', 1000), 201)
  const ann = await v1.useKey('admin', 'ann')
  const keyOf = async (role: string, name: string) =>
    ({ authorization: `Bearer ${done(await v1.post('/credentials', { role, name }), 201)['key']}` }) as const
  const teller = await keyOf('teller', 'tom')
  const operator = await keyOf('operator', 'olga')
  const auditor = await keyOf('auditor', 'aude')
  const own = await keyOf('terminal', 'ATM1')
  const other = await keyOf('terminal', 'ATM2')
  const kinds = async (q: string, headers: Record<string, string>) => {
    const { found, more } = done(await v1.get(`/search?q=${q}`, headers), 200)
    assert.equal(more, false)
    return (found as unknown as Told[]).map(({ kind }) => kind)
  }
  for (const headers of [operator, auditor]) {
    assert.deepEqual(await kinds('A', headers), ['account', 'withdrawal', 'withdrawal'])
    assert.deepEqual(await kinds('0119', headers), ['card', 'withdrawal', 'withdrawal'])
    assert.deepEqual(await kinds('60%20today', headers), ['withdrawal'])
    assert.deepEqual(await kinds(String(w1['exception']), headers), ['exception'])
  }
  assert.deepEqual(await kinds('A', teller), ['account'])
  assert.deepEqual(await kinds('0119', teller), ['card'])
  assert.deepEqual(await kinds(pans.a, teller), ['card'])
  for (const q of ['ATM1', 'w1', 'ATM1/w1', '60%20today', String(w1['exception'])])
    assert.deepEqual(await kinds(q, teller), [], q)
  for (const headers of [own, other]) assertRefused(await v1.get('/search?q=w1', headers), 403, 'forbidden')

  const ids = async (query: string, headers: Record<string, string>) =>
    (done(await v1.get(`/withdrawals?${query}`, headers), 200)['withdrawals'] as unknown as Told[]).map(
      ({ id }) => id,
    )
  assertRefused(await v1.get('/withdrawals', teller), 403, 'forbidden')
  for (const headers of [operator, auditor, own]) {
    assert.deepEqual(await ids('', headers), ['w2', 'w1'])
    assert.deepEqual(await ids('terminal=ATM1&state=suspect', headers), ['w1'])
  }
  assert.deepEqual(await ids('', other), [])
  assert.deepEqual(await ids('terminal=ATM1', other), [])
  assert.deepEqual(await ids('terminal=ATM2', own), [])

  const path = `${at}/withdrawals/w1/history`
  assertRefused(await v1.get(path, teller), 403, 'forbidden')
  assertRefused(await v1.get(path, other), 403, 'forbidden')
  assertRefused(await v1.get(`${at}/withdrawals/none/history`, own), 404, 'withdrawal_not_found')
  assertRefused(await v1.get('/terminals/NONE/withdrawals/w1/history'), 404, 'terminal_not_found')

  // Two people settle it, and the history names both.
  const word = { dispensed: 0, reason: 'seen on film' }
  const resolve = `/exceptions/${w1['exception']}/resolve`
  done(await v1.post(resolve, word, { authorization: `Bearer ${ann}` }), 200)
  done(await v1.post(resolve, word, operator), 200)
  for (const headers of [own, operator]) {
    const { history, more } = done(await v1.get(path, headers), 200)
    const told = (history as unknown as Step[]).slice(3)
    assert.equal(more, false)
    assert.deepEqual(
      told.map(({ kind, by, detail, transfers }) => [
        kind,
        by.name,
        detail['reason'],
        detail['by'],
        ...transfers.map(sidesOf),
      ]),
      [
        ['exception_opened', null, undefined, undefined],
        ['exception_waits', 'ann', 'seen on film', 'ann'],
        ['withdrawal_settled', 'olga', undefined, 'resolution', 'ATM1.transit > A 6000'],
        ['exception_resolved', 'olga', 'seen on film', 'olga'],
      ],
    )
  }
})

test('after a restart, and with an index made anew, the same is found', async (t) => {
  const { v1, suspect, authorize } = await serveAtm(t)
  const { path } = v1.cashpoint
  await suspect('w1', 6000)
  done(await authorize('w2', 1000), 201)
  const questions = ['/withdrawals?account=A', '/withdrawals?state=suspect', '/search?q=0119', '/search?q=w2']
  questions.push('/terminals/ATM1/withdrawals/w1/history')
  const answers = await Promise.all(questions.map(async (each) => (await v1.get(each)).text))
  await v1.cashpoint.stop()
  for (const anew of [false, true]) {
    if (anew) rmSync(path.replace(/\.db$/, '-index.db'), { force: true })
    const again = await serveV1(t, { path })
    for (const [i, question] of questions.entries())
      assert.equal(
        done(await again.get(question), 200) && (await again.get(question)).text,
        answers[i],
        question,
      )
    await again.cashpoint.stop()
  }
})

type Step = {
  readonly kind: string
  readonly record: string
  readonly by: { readonly actor: string; readonly name: string | null }
  readonly detail: Told
  readonly transfers: readonly Told[]
}

async function historyOf(id: string): Promise<readonly Step[]> {
  const { history } = done(await v1.get(`/terminals/${T}/withdrawals/${id}/history`), 200)
  return history as unknown as Step[]
}

function sidesOf({ debit, credit, amount }: Told): string {
  return `${debit} > ${credit} ${amount}`
}

function bySequence(a: string, b: string): number {
  return Number(a.split('-')[1]) - Number(b.split('-')[1])
}
