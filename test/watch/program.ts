/** Some days of two machines by chance, and what was seen of them from outside after each step. */
import { Bank } from '../../src/bank/bank.ts'
import { nameOf } from '../../src/ledger/entity.ts'
import type { Instant } from '../../src/ledger/money.ts'
import { accountsOfTerminal, type Terminal } from '../../src/ledger/terminal.ts'
import { MemoryStore } from '../../src/stores/memory/store.ts'
import { asTerminal, type Ids, idOf, makeTerminal, step } from '../stores/terminals.ts'
import type { Chance } from '../support/chance.ts'
import { heldClock } from '../support/clock.ts'
import { deposit, pending } from '../support/commands.ts'

export const terminals = ['T', 'U']

/** What a step left of a machine. */
export type Seen = {
  readonly at: Instant
  readonly terminal: string
  /** Whether it is in another state. */
  readonly changed: boolean
  /** Notes that left each unit in this step. */
  readonly out: Readonly<Record<string, number>>
  readonly paid: boolean
  /** Below zero, as the cash account has it. */
  readonly ledger: number
}

export type World = Awaited<ReturnType<typeof openWorld>>

/** A bank in memory whose clock stands still; what is to come later comes at once. */
export async function openWorld(at: Instant) {
  const clock = { ...heldClock(at), after: (_: number, callback: () => void) => void setImmediate(callback) }
  const store = new MemoryStore({ clock })
  const bank = new Bank(store, clock)
  const terminal = async (id: string) => asTerminal(await store.entity(nameOf.terminal(id)))
  return { clock, store, bank, terminal }
}

/** Does so many steps, most of them in bursts and some after hours; gives what was seen after each. */
export async function* goOn({ clock, store, terminal }: World, chance: Chance, steps: number) {
  const ids: Ids = new Map()
  await store.commit([pending(deposit('a', '10000000'))])
  await store.commit([step('card K a pin=1234')])
  for (const id of terminals) await makeTerminal(store, id)
  let before = new Map(await Promise.all(terminals.map(async (id) => [id, await terminal(id)] as const)))
  const made = new Map(terminals.map((id) => [id, 0]))

  for (let i = 0; i < steps; i += 1) {
    clock.move(chance(60) === 0 ? chance(15 * 3_600_000) : chance(15 * 60_000))
    const id = terminals[chance(terminals.length)] ?? ''
    const machine = before.get(id) ?? (await terminal(id))
    const text = nextStep(chance, machine, made.get(id) ?? 0)
    if (text.startsWith('authorize')) made.set(id, (made.get(id) ?? 0) + 1)
    const [outcome] = await store.commit([step(text, ids)])
    if (outcome !== undefined && text.startsWith('exchange')) ids.set(`x-${id}`, idOf(outcome) ?? '')
    if (chance(20) === 0 && !text.startsWith('end')) {
      const page = { prefix: nameOf.exception(''), waiting: true, limit: 1 }
      const [open] = (await store.entities(page)).things
      if (open?.kind === 'exception')
        await store.commit([step(`resolve ${open.id} dispensed=${chance(2) * open.amount}`)])
    }
    const after = new Map(
      await Promise.all(terminals.map(async (each) => [each, await terminal(each)] as const)),
    )
    const seen: Seen[] = []
    for (const each of terminals) {
      const [then, now] = [before.get(each), after.get(each)]
      if (then === undefined || now === undefined || then === now) continue
      const account = await store.account(accountsOfTerminal(each).cash)
      seen.push({
        at: clock.now(),
        terminal: each,
        changed: now.state !== then.state,
        out: text.startsWith('end') ? {} : outOf(then, now),
        paid: now.last_cash_out !== then.last_cash_out || now.unconfirmed > then.unconfirmed,
        ledger: account?.ledger ?? 0,
      })
    }
    yield seen
    before = after
  }
}

/** In the words of scenarios; `made` is how many withdrawals the machine has had, w1, w2 and so on. */
function nextStep(chance: Chance, { id, state, batch }: Terminal, made: number): string {
  const last = `w${Math.max(1, made - chance(10) * chance(2) * chance(2))}`
  switch (chance(60)) {
    case 0:
      return `service ${id} ${chance(4) === 0 ? 'off' : 'on'}`
    case 1:
      return `exchange ${id}`
    case 2:
      return `close ${id} ${batch.batch}`
    case 3:
      return `undo ${id} ${last}`
    case 4:
      return `confirm ${id} ${last} outcome=unknown`
    case 5:
      return `expire ${id} ${last}`
  }
  if (state === 'exchange')
    return chance(2)
      ? `count ${id} x-${id} C1=900 C3=900 D1= R1= T1=`
      : `end ${id} x-${id} ${chance(2) ? 'set' : 'add'} C1=500 C3=500`
  if (state === 'out_of_service') return `service ${id} on`
  if (chance(3) === 0) return `start ${id} ${last}`
  if (chance(2) === 0) return `confirm ${id} ${last} C1=${chance(2)} C3=${chance(3)} R:C3=${chance(2)}`
  const silent = chance(4) === 0 ? ' implicit' : ''
  return `authorize ${id} w${made + 1} K ${10 * (1 + chance(9))} pin=1234${silent}`
}

/** As its units count. */
function outOf(then: Terminal, now: Terminal): Record<string, number> {
  return Object.fromEntries(
    now.units.flatMap(({ id, out }, i) => {
      const more = out - (then.units[i]?.out ?? 0)
      return more === 0 ? [] : [[id, more]]
    }),
  )
}
