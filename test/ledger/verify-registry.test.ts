/** What proves credentials, webhooks and adjustments: forged records, sealed again, so that only their sense is wrong. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sha256 } from '../../src/bank/batch.ts'
import type { Command } from '../../src/ledger/command.ts'
import { MemoryStore } from '../../src/stores/memory/store.ts'
import { heldClock } from '../support/clock.ts'
import { pending } from '../support/commands.ts'
import { assertProven, type Body, forged, journalOf, prove } from '../support/journal.ts'

const usd = { currency: 'USD' }
const plain = { overdraft_limit: 0, minimum_balance: 0, metadata: {} }
const adjust = (amount: number): Command => ({
  type: 'adjust',
  account: 'x',
  amount,
  ...usd,
  direction: 'credit',
  reason: 'r',
  person: 'ann',
})

/**
 * Records: 1 a credential of ann's and 2 one of bob's, 3 x opened, 4 an adjustment of 500 and 5 its transfer, 6 one of
 * 20,000 that waits and 7 bob's transfer of it with 8 its key, 9 one that waits and 10 is rejected, 11 a webhook,
 * 12 an order to send again, 13 disabled, 14 bob's credential revoked, 15 the key of that, 16 an adjustment and
 * 17 its transfer with 18 its key.
 */
async function honestJournal() {
  const store = new MemoryStore({ clock: heldClock() })
  const only = async (command: Command, actor: string, key?: string) => {
    const fresh = sha256(`fresh ${await store.last()}`)
    await store.commit([pending(command, { actor, fresh, ...(key && { key: { scope: actor, key } }) })])
  }
  await only({ type: 'create_credential', role: 'operator', name: 'ann' }, 'cli')
  await only({ type: 'create_credential', role: 'admin', name: 'bob' }, 'cli')
  await only({ type: 'open_account', number: 'x', ...usd, ...plain }, '1-2')
  await only(adjust(500), '1-1')
  await only(adjust(20_000), '1-1')
  await only({ type: 'decide_adjustment', adjustment: '1-6', approve: true, person: 'bob' }, '1-2', 'k')
  await only(adjust(30_000), '1-1')
  await only({ type: 'decide_adjustment', adjustment: '1-9', approve: false, person: 'ann' }, '1-1')
  await only({ type: 'create_webhook', url: 'https://x.example/', types: [], sealed_with: 'a' }, '1-2')
  await only({ type: 'redeliver', webhook: '1-11' }, '1-2')
  await only({ type: 'disable_webhook', webhook: '1-11' }, '1-2')
  await only({ type: 'revoke_credential', credential: '1-2' }, '1-2', 'k2')
  await only(adjust(1), '1-1', 'k3')
  return await journalOf(store)
}

const forgeries: [number, string, (body: Body, line: { actor: string }) => void, RegExp][] = [
  [1, 'gives a role that there is not', (body) => (body.role = 'root'), /a role that there is not: root/],
  [1, 'has no hash', (body) => (body.hash = ''), /without the hash of a key/],
  [2, 'has the key of another', (body) => (body.hash = sha256('fresh 0')), /the key of another credential/],
  [4, 'adjusts nothing', (body) => (body.amount = 0), /adjusts by 0, which is no amount/],
  [4, 'adjusts another currency', (body) => (body.currency = 'EUR'), /adjusts account x in EUR/],
  [4, 'adjusts nobody', (body) => (body.account = 'y'), /adjusts account y, which was never opened/],
  [4, 'adjusts nowhere', (body) => (body.direction = 'up'), /adjusts in no direction: up/],
  [4, 'waits, and is paid by who asked', (body) => (body.second_person = true), /by who asked for it/],
  [5, 'is of no adjustment', (body) => delete body.adjustment, /not the transfer of adjustment 1-4/],
  [5, 'is of another kind', (body) => (body.type = 'deposit'), /is no proper adjustment/],
  [5, 'moves more', (body) => (body.amount = 501), /otherwise than was asked/],
  [5, 'is of cash', (body) => (body.debit = 'cash:USD'), /otherwise than was asked/],
  [7, 'is by who asked', (_, line) => (line.actor = '1-1'), /carries out adjustment 1-6 by who asked for it/],
  [
    7,
    'is of one that was done',
    (body) => (body.adjustment = '1-4'),
    /1-4, which is no adjustment that waits/,
  ],
  [7, 'is of a credential', (body) => (body.adjustment = '1-2'), /1-2, which is no adjustment that waits/],
  [6, 'needed nobody else', (body) => delete body.second_person, undefined as never],
  [10, 'rejects what is done', (body) => (body.adjustment = '1-6'), /rejects 1-6, which does not wait/],
  [12, 'names a credential', (body) => (body.webhook = '1-1'), /names 1-1, which is no webhook in use/],
  [13, 'names nothing', (body) => (body.webhook = '1-99'), /names 1-99, which is no webhook in use/],
  [
    14,
    'revokes a webhook',
    (body) => (body.credential = '1-11'),
    /revokes 1-11, which is no credential in use/,
  ],
  [
    8,
    'tells another state',
    ({ reply }) => (reply.thing.state = 'pending'),
    /otherwise than adjustment 1-6 is/,
  ],
  [
    8,
    'tells another transfer',
    ({ reply }) => (reply.transfer.id = '1-5'),
    /otherwise than transfer 1-5 says/,
  ],
  [8, 'tells another amount', ({ reply }) => (reply.transfer.amount = 1), /otherwise than transfer 1-7 says/],
  [15, 'tells another name', ({ reply }) => (reply.thing.name = 'eve'), /otherwise than credential 1-2 is/],
]

test('the honest journal proves', async () => {
  const honest = await honestJournal()
  assert.equal(honest.at(-1)?.block.last, 18)
  assertProven(honest)
  assertProven(forged(honest, 1, () => {}))
})

for (const [record, name, forge, what] of forgeries)
  test(`record ${record} that ${name} is named`, async () => {
    const found = prove(forged(await honestJournal(), record, forge))
    assert('what' in found, 'the books must not prove')
    if (what !== undefined) assert.match(found.what, what)
  })

test('what is revoked is not revoked again, and what is disabled is sent nothing', async () => {
  const honest = await honestJournal()
  for (const [record, from, to] of [
    [12, 'webhook_redelivered', 'webhook_disabled'],
    [13, 'webhook_disabled', 'webhook_redelivered'],
  ] as const) {
    const changed = honest.map(({ block, lines }) => ({
      block,
      lines: lines.map((line) => (line.sequence === record ? { ...line, kind: to } : line)),
    }))
    assert.equal(honest.flatMap(({ lines }) => lines).find(({ sequence }) => sequence === record)?.kind, from)
    const found = prove(forged(changed, record, () => {}))
    // Disabled a record earlier, the next one names what is in use no more; disabled never, all is well.
    if (to === 'webhook_disabled') assert('what' in found && /no webhook in use/.test(found.what))
    else assertProven(forged(changed, record, () => {}))
  }
})
