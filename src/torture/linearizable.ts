/**
 * Whether some order explains a history: every operation at one instant between being sent and being answered, and
 * what each was answered right in that order. Knows operations only through a model of one object; accounts are
 * checked one by one, since a history is linearizable exactly if each of its objects' is.
 */

/** What was done, with what was answered, and when. The unit of time is the caller's; equal instants overlap. */
export type Timed<Op> = {
  readonly op: Op
  readonly invoked: number
  /** Infinity: the outcome is unknown; it may have taken effect at any time from `invoked` on, or never. */
  readonly returned: number
}

export type Model<State, Op> = {
  readonly initial: State
  /** The state after it; undefined where it cannot be answered so in this state. */
  step(state: State, op: Op): State | undefined
  /** Two states with the same key are the same state. */
  keyOf(state: State): string
  /**
   * Whether it leaves every state as it is, whatever was answered: a read, a refusal. Makes the search shorter, and
   * the counterexample too: what changes nothing and is not needed to show the violation is left out.
   */
  changesNothing?(op: Op): boolean
}

export type Counterexample<Op> = {
  /** What no order explains, by when it was sent: all that was answered by `last`, or was still under way. */
  readonly history: readonly Timed<Op>[]
  /** The first answer that no order explains. What returned later than it counts as not answered yet. */
  readonly last: Timed<Op>
  /** The keys of the states that were possible when the history begins: what came before allows no other. */
  readonly states: readonly string[]
}

export type CheckOptions = {
  /** How often the model may be asked for a step before the search is given up. */
  readonly stepsMax?: number
}

/** The search was given up: too much went on at once to tell in so many steps. It says nothing about the history. */
export class UndecidedError extends Error {
  constructor(stepsMax: number) {
    super(`not decided within ${stepsMax} steps`)
  }
}

// Some 500 ns a step, so two to three seconds.
const stepsMaxDefault = 5_000_000

/**
 * Gives undefined where an order explains the history, otherwise the shortest part of it that none explains: the
 * shortest prefix by when answers came, cut at the front at the last moment when nothing was under way.
 * @throws {UndecidedError} where `stepsMax` steps do not tell.
 */
export function check<State, Op>(
  model: Model<State, Op>,
  history: readonly Timed<Op>[],
  { stepsMax = stepsMaxDefault }: CheckOptions = {},
): Counterexample<Op> | undefined {
  const budget = { stepsMax, steps: 0 }
  const blocked = search(model, [model.initial], history, budget)
  if (blocked === undefined) return undefined
  const prefix = prefixOf(history, blocked)
  return withoutIdle(model, cut(model, prefix, blocked, budget), budget)
}

type Budget = { readonly stepsMax: number; steps: number }

/** All that began by the time that `last` was answered; linearizable histories have linearizable prefixes only. */
function prefixOf<Op>(history: readonly Timed<Op>[], last: Timed<Op>): Timed<Op>[] {
  return history.filter(({ invoked }) => invoked <= last.returned)
}

type Cut<State, Op> = Counterexample<Op> & { readonly from: readonly State[] }

/**
 * Drops what came before the last moment when nothing answered was under way. A search that fails has seen every
 * state that is possible there. What was under way and not answered yet goes along, unless it must have taken effect.
 */
function cut<State, Op>(
  model: Model<State, Op>,
  prefix: readonly Timed<Op>[],
  last: Timed<Op>,
  budget: Budget,
): Cut<State, Op> {
  const seen = new Map<number, Seen<State, Op>[]>()
  const open = prefix.map((timed) =>
    timed.returned > last.returned
      ? { ...timed, returned: Number.POSITIVE_INFINITY, timed }
      : { ...timed, timed },
  )
  search(model, [model.initial], open, budget, (done, found) => {
    const others = seen.get(done)
    if (others === undefined) seen.set(done, [found])
    else others.push(found)
  })
  const answered = byInvoked(open).filter(isAnswered)
  for (const done of [...seen.keys()].sort((a, b) => b - a)) {
    const base = baseOf(model, seen.get(done) ?? [])
    if (base === undefined) continue
    const gone = new Set<unknown>([...answered.slice(0, done), ...base.effected])
    const states = new Map(base.states.map((state) => [model.keyOf(state), state]))
    return {
      history: byInvoked(open.filter((timed) => !gone.has(timed))).map(({ timed }) => timed),
      last,
      states: [...states.keys()],
      from: [...states.values()],
    }
  }
  return { history: byInvoked(prefix), last, states: [model.keyOf(model.initial)], from: [model.initial] }
}

/**
 * The states in which the fewest unanswered operations have taken effect, if all other states are what these become
 * by the rest of them, which may as well come later; undefined where they are not.
 */
function baseOf<State, Op>(
  model: Model<State, Op>,
  all: readonly Seen<State, Op>[],
): { readonly states: readonly State[]; readonly effected: readonly Timed<Op>[] } | undefined {
  const sorted = all.toSorted((a, b) => a.effected.length - b.effected.length)
  const effected = sorted[0]?.effected ?? []
  const isBase = (seen: Seen<State, Op>) =>
    seen.effected.length === effected.length && seen.effected.every((one) => effected.includes(one))
  const states = sorted.filter(isBase).map(({ state }) => state)
  const isLater = (seen: Seen<State, Op>) => {
    const rest = seen.effected.filter((one) => !effected.includes(one))
    if (rest.length !== seen.effected.length - effected.length || rest.length > laterMax) return false
    return states.some((state) => becomes(model, state, rest, model.keyOf(seen.state)))
  }
  return sorted.every((seen) => isBase(seen) || isLater(seen)) ? { states, effected } : undefined
}

// Their orders are tried one by one: 120 of five.
const laterMax = 5

function becomes<State, Op>(
  model: Model<State, Op>,
  state: State,
  rest: readonly Timed<Op>[],
  key: string,
): boolean {
  if (rest.length === 0) return model.keyOf(state) === key
  return rest.some((one) => {
    const next = model.step(state, one.op)
    return (
      next !== undefined &&
      becomes(
        model,
        next,
        rest.filter((other) => other !== one),
        key,
      )
    )
  })
}

// Each try is a search; longer histories are not read by people anyway.
const idleMax = 200

/** Leaves out, one by one, what changes nothing and without which there is no order either. */
function withoutIdle<State, Op>(
  model: Model<State, Op>,
  { history, last, states, from }: Cut<State, Op>,
  budget: Budget,
): Counterexample<Op> {
  let kept = history
  if (history.length <= idleMax)
    for (const timed of history) {
      if (timed === last || model.changesNothing?.(timed.op) !== true) continue
      const fewer = kept.filter((other) => other !== timed)
      if (search(model, from, asOf(fewer, last), budget) !== undefined) kept = fewer
    }
  return { history: kept, last, states }
}

/** As things stood when `last` was answered. */
function asOf<Op>(history: readonly Timed<Op>[], last: Timed<Op>): Timed<Op>[] {
  return history.map((timed) =>
    timed.returned > last.returned ? { ...timed, returned: Number.POSITIVE_INFINITY } : timed,
  )
}

/** A state that is possible when the first so many answered operations are done, with the unanswered ones that are. */
type Seen<State, Op> = { readonly state: State; readonly effected: readonly Timed<Op>[] }

type Saw<State, Op> = (done: number, seen: Seen<State, Op>) => void

/** One operation taken, and what may be taken next. */
type Frame<State> = { readonly state: State; readonly next: readonly number[]; at: number; taken: number }

/**
 * Wing and Gong's search with Lowe's memory: takes an operation that began before any other open one was answered,
 * goes back where none fits, and never goes on twice from the same set of taken operations in the same state.
 * Gives undefined where all that was answered could be taken, otherwise the first answer beyond which no order led.
 */
function search<State, Timed_ extends Timed<Op>, Op>(
  model: Model<State, Op>,
  from: readonly State[],
  history: readonly Timed_[],
  budget: Budget,
  saw?: Saw<State, Op>,
): Timed_ | undefined {
  const sorted = byInvoked(history)
  const answered = sorted.filter(isAnswered)
  const unanswered = sorted.filter((timed) => !isAnswered(timed) && model.changesNothing?.(timed.op) !== true)
  // One numbering: the answered by when they began, then the others, likewise.
  const all = [...answered, ...unanswered]
  const done = new Taken(answered.length)
  const effected = new Taken(unanswered.length)
  const restful = saw && restfulAfter(answered)
  const been = new Set<string>()
  let blocked: Timed_ | undefined

  const take = (index: number) => {
    if (index < answered.length) done.take(index)
    else effected.take(index - answered.length)
  }
  const giveBack = (index: number) => {
    if (index < answered.length) done.giveBack(index)
    else effected.giveBack(index - answered.length)
  }
  const step = (state: State, index: number) => {
    budget.steps += 1
    if (budget.steps > budget.stepsMax) throw new UndecidedError(budget.stepsMax)
    return model.step(state, (all[index] as Timed_).op)
  }

  /** Which may be taken now. Those that are answered first: the others may be left out for ever. */
  const nextOf = (state: State): number[] => {
    const next: number[] = []
    let firstReturn: Timed_ | undefined
    const bound = () => firstReturn?.returned ?? Number.POSITIVE_INFINITY
    for (let i = done.first; i < answered.length; i = done.after(i)) {
      const timed = answered[i] as Timed_
      if (timed.invoked > bound()) break
      if (timed.returned < bound()) firstReturn = timed
      // What changes nothing and fits now may as well be taken now.
      if (model.changesNothing?.(timed.op) === true && step(state, i) !== undefined) return [i]
      next.push(i)
    }
    if (firstReturn !== undefined && firstReturn.returned > (blocked?.returned ?? Number.NEGATIVE_INFINITY))
      blocked = firstReturn
    next.sort((a, b) => (answered[a] as Timed_).returned - (answered[b] as Timed_).returned)
    for (let i = effected.first; i < unanswered.length; i = effected.after(i)) {
      if ((unanswered[i] as Timed_).invoked > bound()) break
      next.push(answered.length + i)
    }
    return next
  }

  const enter = (state: State): boolean => {
    const key = `${done.key()}/${effected.key()}/${model.keyOf(state)}`
    if (been.has(key)) return false
    been.add(key)
    if (saw !== undefined && done.count === done.first && restful?.has(done.count)) {
      const found = unanswered.filter((_, i) => effected.has(i))
      const until = answered[done.count]?.invoked ?? Number.POSITIVE_INFINITY
      if (found.every(({ invoked }) => invoked < until)) saw(done.count, { state, effected: found })
    }
    return true
  }

  for (const initial of from) {
    if (done.count === answered.length) return undefined
    if (!enter(initial)) continue
    const stack: Frame<State>[] = [{ state: initial, next: nextOf(initial), at: 0, taken: -1 }]
    for (let frame = stack.at(-1); frame !== undefined; frame = stack.at(-1)) {
      const index = frame.next[frame.at]
      frame.at += 1
      if (index === undefined) {
        stack.pop()
        if (frame.taken >= 0) giveBack(frame.taken)
        continue
      }
      const state = step(frame.state, index)
      if (state === undefined) continue
      // An effect that nobody can see need not be tried.
      if (index >= answered.length && model.keyOf(state) === model.keyOf(frame.state)) continue
      take(index)
      if (done.count === answered.length) return undefined
      if (enter(state)) stack.push({ state, next: nextOf(state), at: 0, taken: index })
      else giveBack(index)
    }
  }
  return blocked
}

function byInvoked<Timed_ extends Timed<unknown>>(history: readonly Timed_[]): Timed_[] {
  return history.toSorted((a, b) => a.invoked - b.invoked)
}

function isAnswered({ returned }: Timed<unknown>): boolean {
  return returned !== Number.POSITIVE_INFINITY
}

/** After how many answered operations none of them is under way. */
function restfulAfter(answered: readonly Timed<unknown>[]): Set<number> {
  const counts = new Set<number>()
  let returned = Number.NEGATIVE_INFINITY
  for (const [i, timed] of answered.entries()) {
    if (timed.invoked > returned) counts.add(i)
    returned = Math.max(returned, timed.returned)
  }
  return counts
}

const wordBits = 15

/**
 * Which of so many are taken, and those that are not as a list to walk. Its key is as long as the part between the
 * first that is not taken and the last that is, so that long histories with little overlap have short keys.
 */
class Taken {
  count = 0
  readonly #size: number
  readonly #words: Uint16Array
  // The list of those not taken; its head stands at the end. What was taken last is given back first.
  readonly #next: Int32Array
  readonly #previous: Int32Array
  readonly #last: number[] = [-1]

  constructor(size: number) {
    this.#size = size
    this.#words = new Uint16Array(Math.ceil(size / wordBits))
    this.#next = Int32Array.from({ length: size + 1 }, (_, i) => (i === size ? 0 : i + 1))
    this.#previous = Int32Array.from({ length: size + 1 }, (_, i) => (i === 0 ? size : i - 1))
  }

  /** The first that is not taken; the size where all are. */
  get first(): number {
    return this.#next[this.#size] as number
  }

  after(index: number): number {
    return this.#next[index] as number
  }

  has(index: number): boolean {
    return ((this.#words[Math.floor(index / wordBits)] as number) & (1 << (index % wordBits))) !== 0
  }

  take(index: number): void {
    this.#flip(index)
    this.count += 1
    this.#last.push(Math.max(this.#last.at(-1) as number, index))
    const [next, previous] = [this.#next[index] as number, this.#previous[index] as number]
    this.#next[previous] = next
    this.#previous[next] = previous
  }

  giveBack(index: number): void {
    this.#flip(index)
    this.count -= 1
    this.#last.pop()
    this.#next[this.#previous[index] as number] = index
    this.#previous[this.#next[index] as number] = index
  }

  key(): string {
    const from = Math.floor(this.first / wordBits)
    const to = Math.floor((this.#last.at(-1) as number) / wordBits)
    let key = String(from)
    for (let i = from; i <= to; i += 1)
      key += `${i === from ? ':' : ''}${String.fromCharCode(this.#words[i] as number)}`
    return key
  }

  #flip(index: number): void {
    const word = Math.floor(index / wordBits)
    this.#words[word] = (this.#words[word] as number) ^ (1 << (index % wordBits))
  }
}
