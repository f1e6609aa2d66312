/**
 * Holds the books of a host against what was in the machines and in the customers' pockets, to the note. Data in,
 * findings out: it asks nobody.
 */
import { money } from './notes.ts'
import type { Proof } from './operator.ts'
import type { SiteFacts } from './site-facts.ts'

export const promises = {
  advices: 'every advice is taken',
  suspects: 'every suspect is named',
  silence: 'silence is taken for a dispense',
  cash: 'cash to the note',
  transit: 'nothing left in transit',
  over_short: 'over/short is what was mis-picked',
  customers: 'customers paid for the cash they hold',
  exceptions: 'exceptions named and resolved',
  batches: 'batches add up',
  proof: 'the books prove',
} as const

export type Promised = keyof typeof promises

export type Finding = { readonly promise: Promised; readonly what: string; readonly terminal?: string }

export type AccountFacts = { readonly number: string; readonly before: number; readonly after: number }

export type Facts = {
  readonly sites: readonly SiteFacts[]
  readonly accounts: readonly AccountFacts[]
  readonly proof: Proof
}

export function judge({ sites, accounts, proof }: Facts): readonly Finding[] {
  return [
    ...sites.flatMap((site) =>
      [advices, suspects, silence, cash, transit, overShort, exceptions, batches].flatMap((look) =>
        look(site).map((finding) => ({ ...finding, terminal: site.id })),
      ),
    ),
    ...customers(sites, accounts),
    ...(proof.proven ? [] : [{ promise: 'proof', what: proof.what ?? 'they do not' } as const]),
  ]
}

function advices({ owed, refusals }: SiteFacts): Finding[] {
  const stuck = owed === 0 ? [] : [`${owed} advices were never answered`]
  return [...stuck, ...refusals.map((refusal) => `an advice was refused: ${refusal}`)].map((what) => ({
    promise: 'advices',
    what,
  }))
}

/** What the close carries over is what the machine does not know itself, and each has its exception. */
function suspects({ close, namedAtClose, ...site }: SiteFacts): Finding[] {
  const doubtful = Object.keys(site.doubtful)
  const found = (what: string): Finding => ({ promise: 'suspects', what })
  const notSuspect = close.open.filter(({ state }) => state !== 'suspect')
  const open = close.open.map(({ id }) => id)
  const named = namedAtClose.filter(({ type }) => type === 'suspect').map(({ withdrawal }) => withdrawal)
  return [
    ...notSuspect.map(({ id, state }) => found(`${id} is ${state} when all has been told`)),
    ...without(open, doubtful).map((id) => found(`${id} is open, and the machine has told what left`)),
    ...without(doubtful, open).map((id) => found(`${id} is settled, and nobody knows what left`)),
    ...without(doubtful, named).map((id) => found(`${id} is in doubt and has no exception`)),
    ...without(named, doubtful).map((id) => found(`${id} has an exception and is not in doubt`)),
  ]
}

/** What a machine said nothing of is assumed, and what it said something of is not. */
function silence({ unsaid, assumed }: SiteFacts): Finding[] {
  const found = (what: string): Finding => ({ promise: 'silence', what })
  return [
    ...without(unsaid, assumed).map((id) => found(`${id} left, and is not taken for dispensed`)),
    ...without(assumed, unsaid).map((id) =>
      found(`${id} is taken for dispensed, and the machine has told what left`),
    ),
  ]
}

/** Before it was opened, but for suspects and what was mis-picked; after it was loaded, exactly. */
function cash({ exchange }: SiteFacts): Finding[] {
  const { open, real, answers, mispicked, ended, realAfter, counted } = exchange
  const left = Object.values(answers).reduce((sum, { dispensed }) => sum + dispensed, 0)
  const due = open.terminal.cash - left - mispicked
  const found: string[] = []
  if (real !== due)
    found.push(
      `${money(real)} of notes were in it: the books have ${money(open.terminal.cash)}, of which suspects took ${money(left)} and mis-picks ${money(mispicked)}`,
    )
  if (counted.amount !== real - open.terminal.cash)
    found.push(
      `the count says ${money(counted.amount)} where ${money(real - open.terminal.cash)} is missing or over`,
    )
  if (ended.terminal.cash !== realAfter)
    found.push(`${money(realAfter)} of notes were loaded, the books have ${money(ended.terminal.cash)}`)
  return found.map((what) => ({ promise: 'cash', what }))
}

function transit({ close, exchange, closeAfter }: SiteFacts): Finding[] {
  const { uncertain, unconfirmed } = exchange.ended.terminal.transit
  const open = close.open.reduce((sum, { amount }) => sum + amount, 0)
  const found: string[] = []
  if (close.transit !== open)
    found.push(`${money(close.transit)} was in transit at the close, whose open ones make ${money(open)}`)
  if (uncertain !== 0 || unconfirmed !== 0 || closeAfter.transit !== 0)
    found.push(`${money(uncertain)} and ${money(unconfirmed)} stayed in transit when all was answered for`)
  return found.map((what) => ({ promise: 'transit', what }))
}

function overShort({ overShortBefore, device, exchange, closeAfter }: SiteFacts): Finding[] {
  const mispicked = Object.values(device.left).reduce((sum, { mispicked }) => sum + mispicked, 0)
  const due = overShortBefore - mispicked
  const said = [exchange.ended.terminal.over_short, closeAfter.over_short]
  const found: string[] = []
  if (said.some((amount) => amount !== due))
    found.push(`over/short is ${said.map(money).join(' and then ')}; what was mis-picked makes ${money(due)}`)
  if (exchange.ended.over_short !== -exchange.mispicked)
    found.push(
      `the exchange found ${money(exchange.ended.over_short)} where ${money(exchange.mispicked)} was mis-picked`,
    )
  return found.map((what) => ({ promise: 'over_short', what }))
}

function exceptions({ exceptions, stillOpen }: SiteFacts): Finding[] {
  const strange = exceptions.filter(({ isKnown }) => !isKnown)
  const found = strange.map(
    ({ exception: { type, withdrawal, amount } }) =>
      `${type} of ${withdrawal ?? 'nothing'}, ${money(amount)}`,
  )
  const open = stillOpen - strange.length
  if (open !== 0) found.push(`${open} are open although they were resolved`)
  return found.map((what) => ({ promise: 'exceptions', what }))
}

/** What came in less what left, over all batches. */
function batches({ closes, device }: SiteFacts): Finding[] {
  const net = closes.reduce((sum, batch) => sum + batch.net, 0)
  const left = Object.values(device.left).reduce((sum, { left, mispicked }) => sum + left - mispicked, 0)
  const paidIn = Object.values(device.paidIn).reduce((sum, { amount }) => sum + amount, 0)
  if (net === paidIn - left) return []
  const what = `the batches sum to ${money(net)}; ${money(paidIn)} came in and ${money(left)} left`
  return [{ promise: 'batches', what }]
}

function customers(sites: readonly SiteFacts[], accounts: readonly AccountFacts[]): Finding[] {
  const due = new Map<string, number>()
  const count = (account: string, amount: number) => due.set(account, (due.get(account) ?? 0) + amount)
  for (const { device } of sites) {
    for (const { account, left, mispicked } of Object.values(device.left)) count(account, mispicked - left)
    for (const { account, amount } of Object.values(device.paidIn)) count(account, amount)
  }
  return accounts.flatMap(({ number, before, after }) => {
    const moved = due.get(number) ?? 0
    if (after - before === moved) return []
    const what = `${number} went from ${money(before)} to ${money(after)}; by the cash that its holder has it moved ${money(moved)}`
    return [{ promise: 'customers', what } as const]
  })
}

function without<Id>(some: readonly Id[], others: readonly Id[]): Id[] {
  return some.filter((id) => !others.includes(id))
}

/** What all suspects were, for whoever wants to read it. */
export type SuspectNamed = {
  readonly terminal: string
  readonly withdrawal: string
  readonly amount: number
  readonly why: string
  readonly dispensed: number
}

export function suspectsOf({ id, exchange, doubtful }: SiteFacts): SuspectNamed[] {
  return exchange.open.suspects.map(({ withdrawal, amount }) => ({
    terminal: id,
    withdrawal,
    amount,
    why: doubtful[withdrawal] ?? 'told',
    dispensed: exchange.answers[withdrawal]?.dispensed ?? 0,
  }))
}
