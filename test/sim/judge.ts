/** After a run: every promise, held against what clients were told and what is on the disk. The first broken one is told. */
import { genesis, readTotals } from '../../src/ledger/block.ts'
import { fromLine } from '../../src/ledger/record.ts'
import type { Committed, Disk } from './disk.ts'
import { judgeHistories, listed } from './history.ts'
import { Oracle, type PendingHold } from './oracle.ts'
import { opening } from './requests.ts'
import { type Attempt, codeOf, finalOf, isRemembered, verdictOf, type Wish } from './traffic.ts'

export type Judged = {
  readonly disk: Disk
  readonly wishes: readonly Wish[]
  /** How long anything may wait. */
  readonly waitMaxMs: number
  readonly keyRetentionMs: number
  onUndecided(): void
}

/** What is wrong, in a paragraph; undefined where nothing is. */
export async function judge(of: Judged): Promise<string | undefined> {
  const moments: Moment[] = []
  return (
    judgeWaiting(of) ??
    judgeKeys(of) ??
    (await judgeEffects(of)) ??
    (await judgeBooks(of)) ??
    (await judgeRules(of, moments)) ??
    judgeLists(of, moments) ??
    judgeHeld(of, moments) ??
    judgeHistories(of.wishes, opening, of.onUndecided)
  )
}

// A timer is armed for a whole millisecond at the least; a read takes a few.
const slackMs = 10

/** Nothing waits past its deadline and the store's grace; nothing stays without an answer. */
function judgeWaiting({ wishes, waitMaxMs }: Judged): string | undefined {
  for (const { id, asked, invokedMs, returnedMs, crashedMs } of wishes.flatMap(({ attempts }) => attempts)) {
    if (invokedMs === undefined) continue
    const { kind, path } = asked
    const endedMs = returnedMs ?? crashedMs
    if (endedMs === undefined) return `${id}, a ${kind} on ${path}, was never answered.`
    if (endedMs - invokedMs > waitMaxMs + slackMs)
      return `${id}, a ${kind} on ${path}, waited ${endedMs - invokedMs} ms, and nothing may wait more than ${waitMaxMs}.`
  }
  return undefined
}

/** A key has one reply, which one attempt was given first; another request under it is refused. */
function judgeKeys({ wishes }: Judged): string | undefined {
  for (const wish of wishes) {
    const { name, asked, attempts, conflictsWith } = wish
    const finals = attempts.filter(({ answer }) => answer && verdictOf(answer) === 'final')
    if (conflictsWith !== undefined) {
      const wrong = finals.find(({ answer }) => codeOf(answer?.text ?? '{}') !== 'idempotency_conflict')
      if (wrong)
        return `${wrong.id} used the key of ${conflictsWith.name} for another request, and was answered ${wrong.answer?.status} ${wrong.answer?.text}.`
      continue
    }
    if (!isRemembered(wish)) continue
    if (finals.length === 0)
      return `${name} under key ${asked.key} was never decided, however often it was sent.`
    const [first] = finals
    for (const { id, answer } of finals)
      if (answer?.text !== first?.answer?.text || answer?.status !== first?.answer?.status)
        return `Key ${asked.key} has two replies: ${first?.id} was answered ${first?.answer?.status} ${first?.answer?.text} and ${id} was answered ${answer?.status} ${answer?.text}.`
    const made = finals.filter(({ answer }) => !answer?.replayed)
    if (made.length > 1)
      return `Key ${asked.key} was carried out more than once: ${made.map(({ id }) => id).join(' and ')} were each told that it was for the first time.`
    const ghost = made.length === 0 && attempts.every((attempt) => isSettled(attempt))
    if (ghost)
      return `Key ${asked.key} was carried out by nobody: every attempt was either told that nothing was done or was answered again, ${told(attempts)}.`
  }
  return undefined
}

/** Whether its answer says what it did: neither lost in a crash nor unknown. */
function isSettled({ invoked, answer, crashedMs }: Attempt): boolean {
  return (
    invoked === undefined ||
    (crashedMs === undefined && answer !== undefined && verdictOf(answer) !== 'unknown')
  )
}

function told(attempts: readonly Attempt[]): string {
  return attempts.map(({ id, answer }) => `${id}: ${answer?.status ?? 'nothing'}`).join(', ')
}

/** What was acknowledged is there once, what was refused is not, and what is unknown is there once or not. */
async function judgeEffects({ disk, wishes }: Judged): Promise<string | undefined> {
  const there = new Map<string, number>()
  for await (const { lines } of disk.journal())
    for (const { content } of lines.map(fromLine)) {
      const type =
        content.kind === 'transfer' ? content.type : content.kind === 'hold_placed' ? 'hold' : undefined
      if (type === undefined || !('amount' in content)) continue
      const name = `${type} ${content.amount}`
      there.set(name, (there.get(name) ?? 0) + 1)
    }
  for (const wish of wishes) {
    const { content } = wish.asked
    if (content.type !== 'parts') continue
    for (const [i, { type, amount }] of content.parts.entries()) {
      if (amount === undefined) continue
      const found = there.get(`${type} ${amount}`) ?? 0
      const due = dueOf(wish, i)
      if (due === undefined ? found > 1 : found !== due)
        return `${wish.name}, a ${type} of ${amount}, is in the journal ${found} times and should be ${due ?? 'at most one'}: ${told(wish.attempts)}.`
    }
  }
  return undefined
}

/** How often a part of a wish must be in the journal; undefined where that is unknown. */
function dueOf(wish: Wish, part: number): 0 | 1 | undefined {
  const { asked, attempts, conflictsWith } = wish
  if (conflictsWith !== undefined || (asked.content.type === 'parts' && asked.content.dry)) return 0
  const answer = finalOf(wish)
  if (answer === undefined) return attempts.every(isSettled) ? 0 : undefined
  if (answer.status >= 300) return 0
  const { results } = JSON.parse(answer.text) as { results?: { status: number; replayed: boolean }[] }
  const result = results?.[part]
  if (result !== undefined) return result.status < 300 && !result.replayed ? 1 : 0
  // A reversal of what was taken back already tells of the reversal that did.
  return asked.kind === 'reversal' && answer.status === 200 ? 0 : 1
}

/** The chain proves, all sums are zero, and each balance is the sum of its entries. */
async function judgeBooks({ disk }: Judged): Promise<string | undefined> {
  const proof = await disk.prove({})
  if ('what' in proof)
    return `The journal does not prove: block ${proof.block}, record ${proof.record} ${proof.what}.`
  const sums = new Map<string, bigint>()
  const add = (currency: string, amount: bigint) => sums.set(currency, (sums.get(currency) ?? 0n) + amount)
  const pieces = await Array.fromAsync((await disk.accounts({})).pieces)
  for (const { number, currency, ledger, held } of pieces.flat()) {
    add(currency, BigInt(ledger))
    const entries = await disk.entries({ account: number, limit: Infinity })
    const sum = entries.reduce(
      (sum, { transfer }) => sum + transfer.amount * (transfer.credit === number ? 1 : -1),
      0,
    )
    if (sum !== ledger) return `Account ${number} has ${ledger}, and its entries sum to ${sum}.`
    const { things } = await disk.holds({ account: number, now: 0, limit: Infinity })
    const pending = things
      .filter(({ state }) => state === 'pending')
      .reduce((sum, { amount }) => sum + amount, 0)
    if (pending !== held)
      return `Account ${number} has ${held} held, and its pending holds sum to ${pending}.`
  }
  let last = genesis(1)
  for await (const { block } of disk.journal()) last = block
  for (const [house, total] of readTotals(last.totals)) add(house.slice(-3), total)
  for (const [currency, sum] of sums) if (sum !== 0n) return `All accounts in ${currency} sum to ${sum}.`
  return undefined
}

type Moment = {
  readonly atMs: number
  readonly ledgers: ReadonlyMap<string, number>
  readonly holds: readonly PendingHold[]
}

/** Each commit did what the oracle says, and left what it says. */
async function judgeRules({ disk, keyRetentionMs }: Judged, moments: Moment[]): Promise<string | undefined> {
  const oracle = new Oracle(keyRetentionMs)
  for (const committed of disk.tape as readonly Committed[]) {
    const wrong = oracle.judge(committed)
    if (wrong !== undefined) return wrong
    moments.push({ atMs: committed.atMs, ledgers: oracle.ledgers, holds: oracle.pending })
  }
  for (const number of oracle.ledgers.keys()) {
    const due = oracle.account(number)
    const found = await disk.account(number)
    if (due?.ledger !== found?.ledger || due?.held !== found?.held || due?.version !== found?.version)
      return `Account ${number} is left with ${found?.ledger}, held ${found?.held}, version ${found?.version}, and should be with ${due?.ledger}, ${due?.held}, ${due?.version}.`
  }
  return undefined
}

/** A list of all accounts is of one moment between being asked for and being answered. */
function judgeLists({ wishes }: Judged, moments: readonly Moment[]): string | undefined {
  for (const { asked, attempts } of wishes) {
    if (asked.content.type !== 'read' || (asked.content.account ?? asked.content.hold) !== undefined) continue
    for (const { id, answer, invokedMs = 0, returnedMs = Infinity } of attempts) {
      if (answer?.status !== 200) continue
      const told = textOf(new Map(listed(answer.text)))
      const possible = between(moments, invokedMs, returnedMs)
      if (!possible.some(({ ledgers }) => textOf(ledgers) === told))
        return `${id} lists what was on the accounts at no moment: ${told}.`
    }
  }
  return undefined
}

/** What is told to be held, and a hold that is told to be pending, is so by the clock of that moment. */
function judgeHeld({ wishes }: Judged, moments: readonly Moment[]): string | undefined {
  for (const { asked, attempts } of wishes) {
    const { content, path } = asked
    if (content.type !== 'read' || !path.startsWith('/v1/')) continue
    for (const { id, answer, invokedMs = 0, returnedMs = Infinity, returnedAt = 0 } of attempts) {
      if (answer?.status !== 200) continue
      const body = JSON.parse(answer.text) as { state?: string; expires_at?: string; held?: number }
      if (content.hold && body.state === 'pending' && Date.parse(body.expires_at ?? '') <= returnedAt)
        return `${id} tells that hold ${content.hold} is pending, and its time was up ${body.expires_at}.`
      if (content.account === undefined || body.held === undefined) continue
      const possible = between(moments, invokedMs, returnedMs).map(({ holds }) =>
        holds
          .filter(({ account, expires }) => account === content.account && expires > returnedAt)
          .reduce((sum, { amount }) => sum + amount, 0),
      )
      if (!possible.includes(body.held))
        return `${id} tells that ${body.held} is held of ${content.account}, and it was ${possible.join(' or ')}.`
    }
  }
  return undefined
}

/** The moments that something asked and answered then can be of. */
function between(moments: readonly Moment[], fromMs: number, toMs: number): Moment[] {
  return moments.filter(({ atMs }, i) => atMs <= toMs && (moments[i + 1]?.atMs ?? Infinity) >= fromMs)
}

function textOf(ledgers: ReadonlyMap<string, number>): string {
  return [...ledgers]
    .map(([number, ledger]) => `${number}=${ledger}`)
    .sort()
    .join(' ')
}
