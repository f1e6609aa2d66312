/**
 * What the customer's side of the machine shows, and what moves it. Pure: what the host answered comes as an event.
 *
 *         insert       4th digit        20 · 40 · 60 · 100
 *   idle ───────▶ pin ──────────▶ menu ──────────────────────▶ working ─ result ─▶ done ─ take ──▶ idle
 *                  ▲               ├─ other ───▶ amount ─ enter ─▶│                  └─── again ─▶ menu
 *                  │               ├─ deposit ─▶ notes ── enter ─▶│
 *                  │               ├─ transfer ▶ payee ▶ amount ─▶│
 *                  │               └─ new PIN ─▶ new_pin, twice ─▶│
 *                  └───────── wrong PIN: what was wished is kept ─┘
 *
 * Cancel gives the card back, except while the host is asked.
 */
import type { Card } from './cards.ts'
import type { Entry, Problem, Withdrawal } from './shapes.ts'

export type Wish =
  | { readonly type: 'withdraw'; readonly amount: number }
  | { readonly type: 'balance' }
  | { readonly type: 'statement' }
  | { readonly type: 'deposit'; readonly notes: Notes }
  | { readonly type: 'transfer'; readonly to: string; readonly amount: number }
  | { readonly type: 'change_pin'; readonly pin: string }

/** Notes by their value in minor units. */
export type Notes = Readonly<Record<number, number>>

/** How far the machine is while it works: what is to be seen of it from outside. */
export type Phase = 'asking' | 'silent' | 'paying' | 'jammed' | 'reporting'

export type Result =
  | { readonly type: 'paid'; readonly withdrawal: Withdrawal }
  /** The host was not heard, so nothing left and the money went back. */
  | { readonly type: 'unheard' }
  | { readonly type: 'stuck'; readonly withdrawal: Withdrawal }
  | { readonly type: 'told'; readonly balance: Figures }
  | { readonly type: 'listed'; readonly balance: Figures; readonly entries: readonly Entry[] }
  | { readonly type: 'deposited'; readonly amount: number; readonly balance: Figures | undefined }
  | {
      readonly type: 'transferred'
      readonly amount: number
      readonly to: string
      readonly balance: Figures | undefined
    }
  | { readonly type: 'pin_changed'; readonly pin: string }
  | { readonly type: 'refused'; readonly problem: Problem }

export type Figures = { readonly ledger: number; readonly available: number }

export type Screen =
  | { readonly at: 'idle' }
  | {
      readonly at: 'pin'
      readonly digits: string
      readonly wish?: Wish
      readonly triesLeft?: number | undefined
    }
  | { readonly at: 'menu' }
  | { readonly at: 'amount'; readonly digits: string; readonly to?: string }
  | { readonly at: 'notes'; readonly notes: Notes }
  | { readonly at: 'payee' }
  | { readonly at: 'new_pin'; readonly digits: string; readonly first?: string; readonly differed?: true }
  | { readonly at: 'working'; readonly wish: Wish; readonly phase: Phase }
  | { readonly at: 'done'; readonly wish: Wish; readonly result: Result }

export type Atm = {
  readonly screen: Screen
  readonly card?: Card
  readonly pin: string
}

export type AtmEvent =
  | { readonly type: 'insert'; readonly card: Card }
  | { readonly type: 'digit'; readonly digit: string }
  | { readonly type: 'clear' | 'enter' | 'cancel' | 'take' | 'again' }
  | { readonly type: 'open'; readonly screen: 'amount' | 'notes' | 'payee' | 'new_pin' }
  | { readonly type: 'wish'; readonly wish: Wish }
  | { readonly type: 'payee'; readonly account: string }
  | { readonly type: 'note'; readonly value: number; readonly by: 1 | -1 }
  | { readonly type: 'phase'; readonly phase: Phase }
  | { readonly type: 'result'; readonly result: Result }

export const pinLength = 4
const amountDigitsMax = 5
const notesMax = 20

export const empty: Atm = { screen: { at: 'idle' }, pin: '' }

/** What comes of an event; the same state where it means nothing there. `ofWhole` reads what is typed as an amount. */
export function step(atm: Atm, event: AtmEvent, ofWhole: (digits: string) => number): Atm {
  const { screen } = atm
  const show = (next: Screen): Atm => ({ ...atm, screen: next })
  const work = (wish: Wish) => show({ at: 'working', wish, phase: 'asking' })

  switch (event.type) {
    case 'insert':
      return screen.at === 'idle' ? { screen: { at: 'pin', digits: '' }, card: event.card, pin: '' } : atm
    case 'cancel':
    case 'take':
      return screen.at === 'working' ? atm : empty
    case 'again':
      return screen.at === 'done' ? show({ at: 'menu' }) : atm
    case 'open':
      return screen.at === 'menu' ? show(opened(event.screen)) : atm
    case 'wish':
      return screen.at === 'menu' || screen.at === 'done' ? work(event.wish) : atm
    case 'payee':
      return screen.at === 'payee' ? show({ at: 'amount', digits: '', to: event.account }) : atm
    case 'note':
      return screen.at === 'notes' ? show({ ...screen, notes: changed(screen.notes, event) }) : atm
    case 'phase':
      return screen.at === 'working' ? show({ ...screen, phase: event.phase }) : atm
    case 'result':
      return screen.at === 'working' ? onResult(atm, screen.wish, event.result) : atm
    case 'digit':
      return onDigit(atm, event.digit)
    case 'clear':
      return 'digits' in screen ? show({ ...screen, digits: screen.digits.slice(0, -1) }) : atm
    case 'enter':
      return onEnter(atm, ofWhole)
  }
}

function opened(screen: 'amount' | 'notes' | 'payee' | 'new_pin'): Screen {
  switch (screen) {
    case 'amount':
    case 'new_pin':
      return { at: screen, digits: '' }
    case 'notes':
      return { at: screen, notes: {} }
    case 'payee':
      return { at: screen }
  }
}

function changed(notes: Notes, { value, by }: { value: number; by: number }): Notes {
  const total = countOf(notes)
  if (by > 0 && total >= notesMax) return notes
  return { ...notes, [value]: Math.max(0, (notes[value] ?? 0) + by) }
}

function onDigit(atm: Atm, digit: string): Atm {
  const { screen } = atm
  if (screen.at === 'amount') {
    const digits = (screen.digits + digit).replace(/^0+/, '')
    return digits.length > amountDigitsMax ? atm : { ...atm, screen: { ...screen, digits } }
  }
  if (screen.at !== 'pin' && screen.at !== 'new_pin') return atm
  const digits = screen.digits + digit
  if (digits.length < pinLength) return { ...atm, screen: { ...screen, digits } }
  if (screen.at === 'pin') {
    const { wish } = screen
    const next: Screen = wish === undefined ? { at: 'menu' } : { at: 'working', wish, phase: 'asking' }
    return { ...atm, pin: digits, screen: next }
  }
  if (screen.first === undefined) return { ...atm, screen: { at: 'new_pin', digits: '', first: digits } }
  if (screen.first !== digits) return { ...atm, screen: { at: 'new_pin', digits: '', differed: true } }
  return { ...atm, screen: { at: 'working', wish: { type: 'change_pin', pin: digits }, phase: 'asking' } }
}

function onEnter(atm: Atm, ofWhole: (digits: string) => number): Atm {
  const { screen } = atm
  const work = (wish: Wish): Atm => ({ ...atm, screen: { at: 'working', wish, phase: 'asking' } })
  if (screen.at === 'notes' && countOf(screen.notes) > 0)
    return work({ type: 'deposit', notes: withoutZeros(screen.notes) })
  if (screen.at !== 'amount' || screen.digits === '') return atm
  const amount = ofWhole(screen.digits)
  return work(
    screen.to === undefined ? { type: 'withdraw', amount } : { type: 'transfer', to: screen.to, amount },
  )
}

/** A wrong PIN is asked for again, and what was wished then goes on; a new PIN is the one from now on. */
function onResult(atm: Atm, wish: Wish, result: Result): Atm {
  if (result.type === 'refused' && result.problem.code === 'pin_incorrect')
    return { ...atm, pin: '', screen: { at: 'pin', digits: '', wish, triesLeft: result.problem.tries_left } }
  const pin = result.type === 'pin_changed' ? result.pin : atm.pin
  return { ...atm, pin, screen: { at: 'done', wish, result } }
}

export function countOf(notes: Notes): number {
  return Object.values(notes).reduce((sum, count) => sum + count, 0)
}

export function worthOf(notes: Notes): number {
  return Object.entries(notes).reduce((sum, [value, count]) => sum + Number(value) * count, 0)
}

function withoutZeros(notes: Notes): Notes {
  return Object.fromEntries(Object.entries(notes).filter(([, count]) => count > 0))
}
