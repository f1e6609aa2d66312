/**
 * The ATM side's steps of scenarios, and what is answered in their words. Card numbers are names here, and a PIN stands
 * for itself: what the vault makes of them is its own business.
 *
 *   terminal T C1:50 C2:20 D1:in R1:reject T1:retract max=200 -> terminal out_of_service
 *   exchange T as=x                  -> exchange                             the suspects follow: w1=60
 *   count T x C1=98 D1=5000:2        -> counted C1-2=-100 : -100             variances; then w1=60 or w1=? of suspects
 *   end T x set C1=100 w1:60         -> exchanged variance -40
 *   service T on, service T off, sign T on, sign T off
 *   card K A,B:savings pin=1234 policy=if_present tx=100 day=500 count=3     accounts are checking ones, or of a type; last4=0119
 *   authorize T w1 K 60 pin=1234 account=B mix=equalEmptying implicit  -> authorized 60 C1=1 C3=1
 *   start T w1                       -> dispensing 60 C1=1 C3=1
 *   confirm T w1 C1=1 R:C3=1 outcome=unknown      R: in front of what went into the reject unit
 *   undo T w1, expire T w1
 *   authorize T w1 K 60 implicit stan=000001 local=1123010000 sent=… rrn=… again     by a message; send, repin, feed and close, too
 *   advise T a1 000001 000002 card=K asked=60 local=… nothing                        of what has these numbers, by its own id
 *   advise T a1 000001 amount=50 C1=1 outcome=unknown                                so much left, or nobody knows
 *   close T 1 stan=000003 told=withdrawals:2:130 net=-130                            what the machine has counted
 *   inquire T K pin=1234             -> A 100 available 90
 *   feed T d1 A 5000:2, feed T d1 card=K 5000:2, unfeed T d1        notes paid in, and taken back
 *   send T s1 K B 60 pin=1234        a transfer at a terminal; `-` for whichever of the card's it goes to
 *   send T s1 K - 60 from_type=savings to_type=checking
 *   repin T p1 K pin=1234 new=4321
 *   close T 1                        -> batch 1 net -60 cash 7940 transit 0 over 0
 *   resolve e dispensed=60 by=ann    -> suspect resolved 60
 *   block K lost, unblock K, setpin K 4321
 *   machine T                        -> in_service cash 8000 transit 60+0 over 0 C1=100(1) C2=100
 *   withdrawal T w1                  -> completed 60 dispensed 60 C1=1 C3=1
 *   exceptions T as=e                -> suspect 60                          those that are open; `e` is the first
 */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import type { AtmCommand, AtmReply, Confirm } from '../../src/ledger/atm-commands.ts'
import type { CardAccount } from '../../src/ledger/card.ts'
import type { Submission } from '../../src/ledger/command.ts'
import { type Entity, nameOf } from '../../src/ledger/entity.ts'
import {
  accountsOfTerminal,
  type BatchTotals,
  type Contents,
  countOf,
  type NotesOut,
  type Terminal,
  type UnitPlan,
  worthOf,
} from '../../src/ledger/terminal.ts'
import { isOpen, type Withdrawal } from '../../src/ledger/withdrawal.ts'
import type { Words } from './v1-words.ts'

/** A step as what is submitted, beside what every submission has. */
export type AtmStep = { readonly command: AtmCommand } & Pick<Submission, 'pin' | 'new_pin'>

export function cardIdOf(name: string): string {
  return `card_${createHash('sha256').update(name).digest('hex').slice(0, 32)}`
}

function referenceOf(card: string, pin: string): string {
  return `h1:${card}:${pin}`
}

const types = { in: 'cash_in', reject: 'reject', retract: 'retract' } as const

/** The command of one step, if it is one of the ATM side. */
export function atmStepOf(
  { verb, places, options }: Words,
  idOf: (name: string) => string,
): AtmStep | undefined {
  const [terminal = '', second = '', third = '', fourth = ''] = places
  const amount = Number(fourth)
  const currency = options.get('currency') ?? 'USD'
  const account = options.get('account')
  const pinOf = (card: string) => {
    const pin = options.get('pin')
    if (pin === undefined) return {}
    const id = cardIdOf(card)
    return {
      pin:
        pin === 'garbled'
          ? { references: [], decoded: false }
          : { references: [referenceOf(id, pin)], decoded: true },
    }
  }
  const newPin = (card: string, pin: string | undefined) =>
    pin === undefined ? {} : { new_pin: { [cardIdOf(card)]: referenceOf(cardIdOf(card), pin) } }
  const number = (name: string) => Number(options.get(name))
  const stan = options.get('stan')
  const stamped = stan !== undefined && {
    stamp: { stan, ...stampOf(options) },
    ...(options.has('again') && { again: true }),
  }
  switch (verb) {
    case 'terminal': {
      const units = places.slice(1).map((word): UnitPlan => {
        const [id = '', what = ''] = word.split(':')
        return what in types
          ? { id, type: types[what as keyof typeof types] }
          : { id, type: 'cash_out', value: Number(what), low: 1 }
      })
      const plan = {
        name: 'n',
        currency,
        mix: 'minimumBills',
        start_within_s: 60,
        confirm_within_s: 300,
      } as const
      const max = options.has('max') && { max_withdrawal: number('max') }
      const max_notes = options.has('notes') ? number('notes') : 40
      const require_sign_on = options.has('sign-on')
      return {
        command: {
          type: 'create_terminal',
          id: terminal,
          ...plan,
          units,
          max_notes,
          ...max,
          require_sign_on,
        },
      }
    }
    case 'service': {
      const state = second === 'on' ? 'in_service' : 'out_of_service'
      return { command: { type: 'set_terminal_state', terminal, state, reason: 'r' } }
    }
    case 'sign':
      return { command: { type: 'sign', terminal, on: second === 'on' } }
    case 'card': {
      const accounts = second
        .split(',')
        .map((word) => word.split(':'))
        .map(([account = '', type = 'checking'], i): CardAccount => {
          return { account, type: type as CardAccount['type'], default: i === 0 }
        })
      const limits = {
        ...(options.has('tx') && { transaction_amount: number('tx') }),
        ...(options.has('day') && { daily_amount: number('day') }),
        ...(options.has('count') && { daily_count: number('count') }),
      }
      const pin_policy = options.get('policy') === 'if_present' ? 'if_present' : 'always'
      return {
        command: {
          type: 'issue_card',
          pan: [cardIdOf(terminal)],
          last4: options.get('last4') ?? '0119',
          expiry: options.get('expires') ?? '9912',
          accounts,
          pin_policy,
          ...(Object.keys(limits).length > 0 && { limits }),
        },
        ...newPin(terminal, options.get('pin')),
      }
    }
    case 'block':
      return {
        command: { type: 'block_card', card: cardIdOf(terminal), status: second as 'lost', reason: 'r' },
      }
    case 'unblock':
      return { command: { type: 'unblock_card', card: cardIdOf(terminal), reason: 'r' } }
    case 'setpin':
      return {
        command: { type: 'set_pin', card: cardIdOf(terminal), reason: 'r' },
        ...newPin(terminal, second || undefined),
      }
    case 'authorize': {
      const mix = options.get('mix')
      const chosen = mix?.includes(':') ? notesOf(mix.split(','), ':') : (mix as 'equalEmptying' | undefined)
      return {
        command: {
          type: 'authorize',
          terminal,
          id: second,
          pan: [cardIdOf(third)],
          last4: '0119',
          amount,
          currency,
          ...(account !== undefined && { account }),
          ...(chosen !== undefined && { mix: chosen }),
          confirmation: options.has('implicit') ? 'implicit' : 'explicit',
          ...stamped,
        },
        ...pinOf(third),
      }
    }
    case 'start':
      return { command: { type: 'start_dispense', terminal, id: second } }
    case 'confirm': {
      const notes = places.slice(2)
      const units = notesOf(
        notes.filter((word) => !word.startsWith('R:')),
        '=',
      )
      const rejected = notesOf(
        notes.filter((word) => word.startsWith('R:')).map((word) => word.slice(2)),
        '=',
      )
      return {
        command: {
          type: 'confirm',
          terminal,
          id: second,
          units,
          ...(Object.keys(rejected).length > 0 && { rejected }),
          ...outcomeOf(options),
        },
      }
    }
    case 'undo':
      return { command: { type: 'reverse_withdrawal', terminal, id: second, reason: 'cancelled' } }
    case 'expire':
      return { command: { type: 'expire_withdrawal', terminal, id: second } }
    case 'inquire':
      return {
        command: {
          type: 'inquire',
          terminal,
          pan: [cardIdOf(second)],
          of: 'balance',
          ...(account !== undefined && { account }),
        },
        ...pinOf(second),
      }
    case 'feed': {
      const card = options.get('card')
      const [to, ...notes] = card === undefined ? places.slice(2) : ['', ...places.slice(2)]
      return {
        command: {
          type: 'terminal_deposit',
          terminal,
          id: second,
          ...(card === undefined ? { account: to ?? '' } : { pan: [cardIdOf(card)] }),
          currency,
          notes: notesOf(notes, ':'),
          ...stamped,
        },
        ...(card !== undefined && pinOf(card)),
      }
    }
    case 'unfeed':
      return { command: { type: 'reverse_deposit', terminal, id: second, reason: 'r' } }
    case 'send': {
      const [from, from_type, to_type] = ['from', 'from_type', 'to_type'].map((name) => options.get(name))
      return {
        command: {
          type: 'terminal_transfer',
          terminal,
          id: second,
          pan: [cardIdOf(third)],
          ...(from !== undefined && { from }),
          ...(from_type !== undefined && { from_type: from_type as CardAccount['type'] }),
          ...(fourth !== '-' && { to: fourth }),
          ...(to_type !== undefined && { to_type: to_type as CardAccount['type'] }),
          amount: Number(places[4]),
          currency,
          ...stamped,
        },
        ...pinOf(third),
      }
    }
    case 'repin':
      return {
        command: { type: 'change_pin', terminal, id: second, pan: [cardIdOf(third)], ...stamped },
        ...pinOf(third),
        ...newPin(third, options.get('new')),
      }
    case 'close':
      return {
        command: { type: 'close_batch', terminal, batch: Number(second), ...totalsOf(options), ...stamped },
      }
    case 'advise': {
      const when = stampOf(options)
      const isNumber = (word: string) => !word.includes('=')
      const originals = places.slice(2).filter(isNumber)
      const units = notesOf(
        places.slice(2).filter((word) => !isNumber(word)),
        '=',
      )
      const card = options.get('card')
      return {
        command: {
          type: 'advise',
          terminal,
          id: second,
          originals: originals.map((number) => ({ number, ...when })),
          ...(options.has('of') && { of: options.get('of') as 'deposit' }),
          ...(card !== undefined && { pan: [cardIdOf(card)] }),
          ...(account !== undefined && { account }),
          ...(options.has('asked') && { asked: number('asked') }),
          says: options.has('nothing')
            ? 'nothing'
            : { amount: number('amount'), units, ...outcomeOf(options) },
        },
      }
    }
    case 'exchange':
      return { command: { type: 'start_exchange', terminal } }
    case 'count': {
      const units = Object.fromEntries(
        places.slice(2).map((word): [string, Contents] => {
          const [id = '', what = ''] = word.split('=')
          return [id, /^[0-9]+$/.test(what) ? Number(what) : notesOf(what === '' ? [] : what.split(','), ':')]
        }),
      )
      return { command: { type: 'count_units', terminal, exchange: idOf(second), units } }
    }
    case 'end': {
      const words = places.slice(3)
      const answers = notesOf(
        words.filter((word) => word.includes(':')),
        ':',
      )
      const suspects = Object.fromEntries(
        Object.entries(answers).map(([id, dispensed]) => [id, { dispensed }]),
      )
      return {
        command: {
          type: 'end_exchange',
          terminal,
          exchange: idOf(second),
          mode: third as 'set',
          loaded: notesOf(
            words.filter((word) => word.includes('=')),
            '=',
          ),
          ...(Object.keys(suspects).length > 0 && { suspects }),
        },
      }
    }
    case 'resolve': {
      const dispensed = options.has('dispensed') && { dispensed: number('dispensed') }
      return {
        command: {
          type: 'resolve_exception',
          exception: idOf(terminal),
          ...dispensed,
          reason: 'r',
          person: options.get('by') ?? '',
        },
      }
    }
    default:
      return undefined
  }
}

function outcomeOf(options: Words['options']): Pick<Confirm, 'outcome'> {
  const outcome = options.get('outcome') as Confirm['outcome']
  return outcome === undefined ? {} : { outcome }
}

function stampOf(options: Words['options']) {
  const [rrn, local, sent] = ['rrn', 'local', 'sent'].map((name) => options.get(name))
  return {
    ...(rrn !== undefined && { rrn }),
    ...(local !== undefined && { local }),
    ...(sent !== undefined && { sent }),
  }
}

function totalsOf(options: Words['options']): { readonly totals?: BatchTotals } {
  const told = options.get('told')
  if (told === undefined && !options.has('net')) return {}
  const sums = (told ?? '').split(',').filter((word) => word !== '')
  const totals = sums
    .map((word) => word.split(':'))
    .map(([name = '', count, amount]) => {
      return [name, { count: Number(count), amount: Number(amount) }]
    })
  return {
    totals: { ...Object.fromEntries(totals), ...(options.has('net') && { net: Number(options.get('net')) }) },
  }
}

function notesOf(words: readonly string[], sign: ':' | '='): NotesOut {
  return Object.fromEntries(
    words.map((word) => word.split(sign)).map(([id = '', count]) => [id, Number(count)]),
  )
}

export function sayAtm(reply: AtmReply): string {
  switch (reply.type) {
    case 'entity':
      return sayEntity(reply.entity)
    case 'inquired':
      return `${reply.account} ${reply.ledger} available ${reply.available}`
    case 'exchange_open':
      return ['exchange', ...reply.suspects.map(({ withdrawal, amount }) => `${withdrawal}=${amount}`)].join(
        ' ',
      )
    case 'counted': {
      const off = Object.entries(reply.units).filter(
        ([, { variance, amount }]) => variance !== 0 || amount !== 0,
      )
      const units = off.map(
        ([id, { variance, amount }]) => `${id}${variance < 0 ? '' : '+'}${variance}=${amount}`,
      )
      const suspects = reply.suspects.map(
        ({ withdrawal, proposal }) => `${withdrawal}=${proposal?.dispensed ?? '?'}`,
      )
      return ['counted', ...units, ':', reply.amount, ...suspects].join(' ')
    }
    case 'exchanged':
      return `exchanged variance ${reply.variance}`
  }
}

export function sayEntity(entity: Entity): string {
  switch (entity.kind) {
    case 'terminal':
      return `terminal ${entity.state}${entity.signed_on ? ' signed on' : ''}`
    case 'card':
      return `card ${entity.status} tries ${entity.tries_left}`
    case 'withdrawal':
      return sayWithdrawal(entity)
    case 'operation':
      return [entity.type, entity.state, entity.amount, entity.tombstone && 'tombstone']
        .filter(Boolean)
        .join(' ')
    case 'exception': {
      const { type, state, amount, resolution, waits } = entity
      if (waits) return `${type} waits ${waits.dispensed ?? ''}`.trim()
      return [type, state, resolution === undefined ? amount : resolution.dispensed]
        .filter((word) => word !== undefined)
        .join(' ')
    }
    case 'batch': {
      const { batch, net, cash, transit, over_short, open } = entity
      const carried = open.length > 0 && `open ${open.map(({ id }) => id).join(',')}`
      return [`batch ${batch} net ${net} cash ${cash} transit ${transit} over ${over_short}`, carried]
        .filter(Boolean)
        .join(' ')
    }
    case 'trace':
    case 'demo':
    case 'keys':
      return entity.kind
  }
}

function sayWithdrawal({
  state,
  amount,
  units,
  dispensed,
  tombstone,
  mix_assumed,
  code,
}: Withdrawal): string {
  const notes = Object.entries(units).map(([id, count]) => `${id}=${count}`)
  const left = dispensed !== null && dispensed !== amount && dispensed > 0 && `dispensed ${dispensed}`
  return [state, code, amount, left, ...notes, mix_assumed && 'assumed', tombstone && 'tombstone']
    .filter(Boolean)
    .join(' ')
}

export function sayMachine(terminal: Terminal, over_short: number): string {
  const { state, uncertain, unconfirmed, units } = terminal
  const cash = units.reduce((sum, unit) => sum + worthOf(unit), 0)
  const counts = units.flatMap((unit) => {
    if (unit.type === 'cash_out')
      return `${unit.id}=${countOf(unit)}${unit.reserved > 0 ? `(${unit.reserved})` : ''}`
    const notes = Object.entries(unit.notes).map(([value, count]) => `${value}:${count}`)
    return notes.length > 0 ? `${unit.id}=${notes.join(',')}` : []
  })
  return [state, `cash ${cash} transit ${uncertain}+${unconfirmed} over ${over_short}`, ...counts].join(' ')
}

/** What is for `as=` of a reply. */
export function idOfAtm(reply: AtmReply): string | undefined {
  if (reply.type === 'exchange_open') return reply.exchange
  return reply.type === 'entity' && 'id' in reply.entity ? reply.entity.id : undefined
}

/** What must hold of a terminal after every step. */
export async function assertInvariants(
  terminal: Terminal,
  of: {
    ledger(account: string): Promise<number | undefined>
    waiting(): Promise<readonly Withdrawal[]>
  },
): Promise<void> {
  const { id, units } = terminal
  const { cash, transit } = accountsOfTerminal(id)
  const worth = units.reduce((sum, unit) => sum + worthOf(unit), 0)
  assert.equal(await of.ledger(cash), 0 - worth, `${cash} is what its notes are worth`)
  const open = await of.waiting()
  assert(open.every(isOpen))
  const sum = open.reduce((sum, { amount }) => sum + amount, 0)
  assert.equal(await of.ledger(transit), sum, `${transit} is what is open`)
  const silent = open.filter(
    ({ state, confirmation }) => state === 'authorized' && confirmation === 'implicit',
  )
  const unconfirmed = silent.reduce((sum, { amount }) => sum + amount, 0)
  assert.deepEqual([terminal.uncertain, terminal.unconfirmed], [sum - unconfirmed, unconfirmed])
  for (const unit of units) {
    const reserved = open.reduce((sum, { units }) => sum + (units[unit.id] ?? 0), 0)
    assert.equal(unit.reserved, reserved, `what is reserved in ${unit.id} is what open ones need`)
    assert(
      unit.reserved >= 0 && unit.reserved <= Math.max(0, countOf(unit)),
      `${unit.id} has what it reserves`,
    )
  }
}

export function terminalName(id: string): string {
  return nameOf.terminal(id)
}
