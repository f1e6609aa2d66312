/**
 * Random programs of the ATM side on every store, beside the memory store at the same instants: the same replies, the
 * same records and hashes, and at the end the same of everything that is kept. What the rules should say is the affair
 * of scenarios and the simulator; here it is that no store forgets what they need.
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { systemClock } from '../../src/bank/clock.ts'
import type { Pending, Store } from '../../src/bank/store.ts'
import { genesis } from '../../src/ledger/block.ts'
import { nameOf, nameOfEntity } from '../../src/ledger/entity.ts'
import { MemoryStore } from '../../src/stores/memory/store.ts'
import { type Chance, prng, seed } from '../support/chance.ts'
import { deposit, pending, withdraw } from '../support/commands.ts'
import { assertProven, journalOf } from '../support/journal.ts'
import type { Place } from '../support/stores.ts'
import { assertFindsAlike } from './find-programs.ts'
import { type Ids, idOf, makeTerminal, step } from './terminals.ts'

const stepsPerRound = 300

/** Three terminals, the last of which gives nobody any time; cards of one account and of several. */
const terminals = ['T', 'U', 'V']
const accounts = ['a', 'b', 'c']
const cards = { K: 'a', L: 'b,c', M: 'c' }

/** What has been asked for, so that it is asked for again, confirmed and taken back. */
class Program {
  readonly #chance: Chance
  readonly #ids: Ids = new Map()
  #made = 0

  constructor(chance: Chance) {
    this.#chance = chance
  }

  note(name: string | undefined, id: string | undefined): void {
    if (name !== undefined && id !== undefined) this.#ids.set(name, id)
  }

  /** A few submissions that go together, each with the name of the id that it makes. */
  batch(): { readonly pending: Pending; readonly name?: string }[] {
    return Array.from({ length: 1 + this.#chance(5) }, () => this.#next())
  }

  #next(): { readonly pending: Pending; readonly name?: string } {
    const chance = this.#chance
    const one = <Thing>(things: readonly Thing[]) => things[chance(things.length)] as Thing
    const terminal = one(terminals)
    const id = chance(3) === 0 ? this.#newId() : `w${Math.max(1, this.#made - chance(8))}`
    const card = one(Object.keys(cards))
    const pin = `pin=${chance(12) === 0 ? one(['9999', 'garbled']) : '1234'}`
    const silent = chance(4) === 0 ? ' implicit' : ''
    const amount = 10 * (1 + chance(9))
    const exchange = `x-${terminal}`
    const withKey = (command: Pending['command']) => {
      const key = { scope: '', key: `k-${this.#made}` }
      return { pending: pending(command, chance(2) ? { key } : {}) }
    }
    const atm = (text: string, name?: string) => ({
      pending: step(text, this.#ids),
      ...(name !== undefined && { name }),
    })
    const stamp = `stan=00000${chance(5)}${one(['', ' local=1123010000', ' sent=1123000000', ' sent=1123000030 again'])}`
    const reference = `BY${Math.floor(this.#made / 8)}`
    switch (chance(40)) {
      case 28:
      case 29:
        return atm(`authorize ${terminal} i${this.#made} ${card} ${amount} ${pin} implicit ${stamp}`)
      case 30:
      case 31:
        return atm(
          `advise ${terminal} a${this.#made} 00000${chance(5)} ${one(['nothing', `amount=${amount}`])} card=${card}`,
        )
      case 32:
        return atm(`feed ${terminal} i${this.#made} card=${card} 1000:1 ${stamp}`)
      case 34:
      case 35:
        return atm(
          `send ${terminal} i${this.#made} ${card} ${one([...accounts, '- to_type=checking'])} ${amount} ${pin} ${stamp}`,
        )
      case 36:
        return atm(`repin ${terminal} i${this.#made} ${card} ${pin}${one(['', ' new=1234'])} ${stamp}`)
      case 37:
        return atm(
          `advise ${terminal} a${this.#made} 00000${chance(5)} ${one(['nothing', `amount=${amount}`])}`,
        )
      case 38:
        return atm(
          `advise ${terminal} a${this.#made} ${reference} 00000${chance(5)} rrn=${reference} nothing card=${card}`,
        )
      case 39:
        return atm(
          `authorize ${terminal} r${this.#made} ${card} ${amount} ${pin} implicit stan=00001${chance(9)} rrn=${reference}`,
        )
      case 33:
        return atm(`close ${terminal} ${1 + chance(4)} ${stamp} net=0`)
      case 0:
        return atm(`exchange ${terminal}`, exchange)
      case 1:
        return atm(`count ${terminal} ${exchange} C1=${chance(1000)} C3=${chance(1000)} D1= R1= T1=`)
      case 2:
      case 3:
        return atm(`end ${terminal} ${exchange} ${one(['set', 'add'])} C1=${chance(50)} C3=${chance(50)}`)
      case 4:
        return atm(`close ${terminal} ${1 + chance(4)}`)
      case 5:
      case 6:
        return atm(`service ${terminal} on`)
      case 7:
        return chance(4) === 0 ? atm(`block ${card} blocked`) : atm(`unblock ${card}`)
      case 8:
        return atm(`feed ${terminal} ${id} ${one(accounts)} 1000:${1 + chance(3)}`)
      case 9:
        return atm(`unfeed ${terminal} ${id}`)
      case 10:
        return atm(`send ${terminal} ${id} ${card} ${one(accounts)} ${amount} ${pin}`)
      case 11:
        return atm(`inquire ${terminal} ${card} ${pin}`)
      case 12:
        return atm(`expire ${terminal} ${id}`)
      case 13:
        return withKey(chance(2) ? deposit(one(accounts), '5') : withdraw(one(accounts), '1'))
      case 14:
        return withKey({
          type: 'set_state',
          account: one(accounts),
          state: one(['frozen', 'closed', 'active', 'active', 'active']),
          reason: 'r',
        })
      case 15:
        return atm(`sign ${terminal} ${one(['on', 'off'])}`)
      case 16:
        return atm(`undo ${terminal} ${id}`)
      case 17:
      case 18:
        return atm(`start ${terminal} ${id}`)
      case 19:
      case 20:
        return atm(`confirm ${terminal} ${id} C1=${chance(2)} C3=${chance(4)}`)
      case 21:
        return atm(`confirm ${terminal} ${id} outcome=${one(['unknown', 'retracted'])}`)
      default:
        return atm(`authorize ${terminal} ${id} ${card} ${amount} ${pin}${silent}`)
    }
  }

  #newId(): string {
    this.#made += 1
    return `w${this.#made}`
  }

  /** Takes one of the exceptions that are open, and says what left. */
  resolve(exception: {
    readonly id: string
    readonly withdrawal?: string
    readonly amount: number
  }): Pending {
    const { id, withdrawal, amount } = exception
    const left =
      withdrawal === undefined || this.#chance(4) === 0 ? '' : ` dispensed=${this.#chance(2) * amount}`
    return step(`resolve ${id}${left}`)
  }
}

/** A store and the memory store at its side, at the same instants. */
class Both {
  store: Store
  readonly memory: MemoryStore
  readonly #place: Place
  #now = 0
  #head = genesis(1)

  private constructor(place: Place, store: Store) {
    this.#place = place
    this.store = store
    this.memory = new MemoryStore({ clock: { ...systemClock, now: () => this.#now } })
  }

  static async open(place: Place): Promise<Both> {
    return new Both(place, await place.open())
  }

  async commit(batch: readonly Pending[]) {
    const outcomes = await this.store.commit(batch)
    const [wrote] = await journalOf(this.store, this.#head.sequence + 1)
    if (wrote !== undefined) this.#head = wrote.block
    // A refusal that nobody wrote down may have been of this instant, too.
    this.#now = wrote?.block.at ?? this.#place.clock?.now() ?? systemClock.now()
    const others = await this.memory.commit(batch)
    assert.deepEqual(outcomes, others, JSON.stringify(batch.map(({ command }) => command)))
    if (wrote !== undefined) assert.deepEqual((await journalOf(this.memory, this.#head.sequence))[0], wrote)
    return outcomes
  }

  async restart(): Promise<void> {
    await this.store.close()
    this.store = await this.#place.open()
  }

  async check(): Promise<void> {
    const all = { prefix: '', limit: 10_000 }
    const kept = await this.memory.entities(all)
    assert.deepEqual(await this.store.entities(all), kept)
    for (const waiting of [true, false])
      for (const owner of terminals) {
        const page = { ...all, waiting, owner }
        assert.deepEqual(await this.store.entities(page), await this.memory.entities(page))
      }
    for (const entity of kept.things) assert.deepEqual(await this.store.entity(nameOfEntity(entity)), entity)
    const far = Number.MAX_SAFE_INTEGER
    assert.deepEqual(await this.store.due(far, 1_000), await this.memory.due(far, 1_000))
    for (const account of [...accounts, ...terminals.flatMap((id) => [`${id}.cash`, `${id}.transit`])])
      assert.deepEqual(
        { ...(await this.store.account(account)) },
        { ...(await this.memory.account(account)) },
      )
    const found = await this.store.prove({}, () => {})
    assert(!('what' in found), 'what' in found ? found.what : '')
  }
}

/** Tests that a store does random steps of terminals as the memory store does. */
export function testAtmPrograms(name: string, newPlace: () => Place, rounds: number): void {
  describe(name, () => {
    for (let round = 0; round < rounds; round += 1)
      test(`steps of terminals do what they do in memory (SEED=${seed + round})`, async () => {
        const chance = prng(seed + round)
        const place = newPlace()
        const both = await Both.open(place)
        try {
          for (const account of accounts) await both.commit([pending(deposit(account, '100'))])
          for (const id of terminals) await makeTerminal(both, id)
          for (const [card, of] of Object.entries(cards))
            await both.commit([step(`card ${card} ${of} pin=1234 day=${card === 'M' ? 400 : 9000}`)])
          const program = new Program(chance)
          for (let i = 0; i < stepsPerRound; i += 1) {
            const batch = program.batch()
            const outcomes = await both.commit(batch.map((each) => each.pending))
            for (const [at, outcome] of outcomes.entries()) program.note(batch[at]?.name, idOf(outcome))
            if (chance(10) === 0) {
              const page = { prefix: nameOf.exception(''), waiting: true, limit: 1 + chance(3) }
              const exception = (await both.memory.entities(page)).things.at(-1)
              if (exception?.kind === 'exception') await both.commit([program.resolve(exception)])
            }
            if (chance(100) === 0) await assertFindsAlike(both.store, both.memory, chance)
            place.clock?.move(chance(60_000))
            if (place.keeps && i % 90 === 89) await both.restart()
          }
          await both.check()
          await assertFindsAlike(both.store, both.memory, chance)
          assertProven(await journalOf(both.store))
        } finally {
          await both.store.close()
          place.remove()
        }
      })
  })
}
