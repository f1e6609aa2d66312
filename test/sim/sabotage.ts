/** Parts broken on purpose, each as real stores and servers have been: the simulator must find every one. */
import type { Clock } from '../../src/bank/clock.ts'
import { type Pending, type Store, StoreError } from '../../src/bank/store.ts'
import type { Account } from '../../src/ledger/account.ts'
import type { Outcome } from '../../src/ledger/command.ts'
import type { Committed, Disk } from './disk.ts'
import type { Saboteur } from './run.ts'

type Of = Parameters<Saboteur>[0]

export const saboteurs: Readonly<Record<string, Saboteur>> = {
  'a store that loses a commit it has acknowledged': (of) => {
    const lossy = new LossyDisk(of)
    const commit = async (batch: readonly Pending[]) => {
      const outcomes = await lossy.disk.commit(batch)
      if (of.chance(20) === 0) await lossy.loseLast()
      return outcomes
    }
    return { store: () => over(() => lossy.disk, { commit }), disk: () => lossy.disk }
  },

  'a store that answers before its commit is on the disk, where a crash forgets it': (of) => {
    const lossy = new LossyDisk(of)
    const store = async () => {
      if (lossy.disk.tape.length > 1) await lossy.loseLast()
      return over(() => lossy.disk, {})
    }
    return { store, disk: () => lossy.disk }
  },

  'a store that forgets what a key was answered': ({ disk, chance }) => ({
    store: () =>
      over(() => disk, {
        commit: (batch) => disk.commit(batch.map((one) => renamed(one, () => chance(6) === 0))),
      }),
  }),

  'rules that do not remember a decline': ({ disk }) => {
    const declined = new Set<string>()
    const commit = async (batch: readonly Pending[]) => {
      const outcomes = await disk.commit(batch.map((one) => renamed(one, (key) => declined.has(key))))
      for (const [i, { reply }] of outcomes.entries())
        if (reply.type === 'refused') declined.add(batch[i]?.key?.key ?? '')
      return outcomes
    }
    return { store: () => over(() => disk, { commit }) }
  },

  'a store that applies a batch twice': ({ disk, chance }) => {
    const commit = async (batch: readonly Pending[]) => {
      const outcomes = await disk.commit(batch)
      if (chance(20) === 0) await disk.commit(batch.map(({ key: _, ...one }) => one))
      return outcomes
    }
    return { store: () => over(() => disk, { commit }) }
  },

  'a read that is stale': ({ disk, chance }) => {
    const stale = staleBy(chance)
    return { store: () => over(() => disk, { account: async (number) => stale(await disk.account(number)) }) }
  },

  'a list that is of several moments': ({ disk, chance }) => {
    const stale = staleBy(chance)
    const accounts: Store['accounts'] = async (page) => {
      const { pieces, ...list } = await disk.accounts(page)
      const torn = (async function* () {
        for await (const piece of pieces) yield piece.map((account) => stale(account) ?? account)
      })()
      return { ...list, pieces: torn }
    }
    return { store: () => over(() => disk, { accounts }) }
  },

  'a command that was answered 423 and is applied later': ({ disk, world }) => ({
    outer: (store) =>
      over(() => store, {
        commit: (batch) =>
          store.commit(batch).catch((error) => {
            const late = batch.filter(({ deadlineMs }) => deadlineMs <= world.nowMs)
            world.after(200, () => void disk.commit(late.map((one) => ({ ...one, deadlineMs: Infinity }))))
            throw error
          }),
      }),
  }),

  'a store that says nothing was done where it does not know': () => ({
    outer: (store) =>
      over(() => store, {
        commit: (batch) =>
          store.commit(batch).catch((error) => {
            throw error.code === 'outcome_unknown' ? new StoreError('unavailable', 'lost') : error
          }),
      }),
  }),

  'a failed COMMIT that is tried again': ({ disk }) => ({
    outer: (store) =>
      over(() => store, {
        commit: (batch) =>
          store.commit(batch).catch((error) => {
            if (error.code === 'outcome_unknown') return disk.commit(batch)
            throw error
          }),
      }),
  }),

  'a reply that is not the same the second time': () => ({
    outer: (store) =>
      over(() => store, { commit: async (batch) => (await store.commit(batch)).map(altered) }),
  }),

  'answers that are swapped within a batch': ({ chance }) => ({
    outer: (store) =>
      over(() => store, {
        commit: async (batch) => {
          const outcomes = await store.commit(batch)
          return chance(4) === 0 ? outcomes.toReversed() : outcomes
        },
      }),
  }),

  'deadlines that nobody watches': ({ clocks }) => ({
    clock: { now: () => clocks.now(), monotonicMs: () => clocks.monotonicMs(), after() {} },
  }),

  'a clock of deadlines that the wall clock moves': ({ clocks }) => ({
    clock: {
      now: () => clocks.now(),
      monotonicMs: () => clocks.now(),
      after: (ms, callback) => clocks.after(ms, callback),
    },
  }),

  'a balance that is told a cent short': ({ disk }) => ({
    store: () =>
      over(() => disk, {
        account: async (number) => {
          const account = await disk.account(number)
          return account && number === 'h-1' ? { ...account, ledger: account.ledger - 1 } : account
        },
      }),
  }),
}

/** A store that does these things itself and leaves the rest to another. */
function over(below: () => Store, does: Partial<Store>): Store {
  return new Proxy({} as Store, {
    get(_, name) {
      const store = Reflect.has(does, name) ? does : below()
      const value = Reflect.get(store, name, store)
      return typeof value === 'function' ? value.bind(store) : value
    },
  })
}

/** A disk that can lose its end: what was committed before is carried out once more on an empty one. */
class LossyDisk {
  disk: Disk
  readonly #of: Of

  constructor(of: Of) {
    this.disk = of.disk
    this.#of = of
  }

  async loseLast(): Promise<void> {
    let then: Committed | undefined
    const { clocks, empty } = this.#of
    const clock: Clock = {
      now: () => then?.now ?? clocks.now(),
      monotonicMs: () => then?.atMs ?? clocks.monotonicMs(),
      after: (ms, callback) => clocks.after(ms, callback),
    }
    const { tape } = this.disk
    const disk = empty(clock)
    for (then of tape.slice(0, -1)) await disk.commit(then.batch)
    then = undefined
    this.disk = disk
  }
}

function renamed(pending: Pending, isForgotten: (key: string) => boolean): Pending {
  const { key } = pending
  if (key === undefined || !isForgotten(key.key)) return pending
  return { ...pending, key: { ...key, key: `${key.key}~` } }
}

/** The account as it was when it was read before, now and then. */
function staleBy(chance: Of['chance']) {
  const before = new Map<string, Account>()
  return (account: Account | undefined): Account | undefined => {
    if (account === undefined) return undefined
    const older = before.get(account.number)
    before.set(account.number, account)
    return chance(3) === 0 && older ? older : account
  }
}

function altered(outcome: Outcome): Outcome {
  const { reply, replayed } = outcome
  return replayed && reply.type === 'posted'
    ? { reply: { ...reply, ledger: reply.ledger + 1 }, replayed }
    : outcome
}
