/** What a terminal asks for is decided once: under its own id, or by the numbers of its message. */
import { conflict } from './apply.ts'
import { cardIn, chosenOf } from './apply-cards.ts'
import type { ChangePin, TerminalDeposit, TerminalTransfer } from './atm-commands.ts'
import type { OperationDeclined, OperationDone } from './atm-records.ts'
import {
  askedOf,
  decided,
  entityReply,
  forestalledBy,
  ofKind,
  repeated,
  saidBy,
  terminalIn,
  unknownTerminal,
  useBefore,
} from './atm-rules.ts'
import type { Books } from './books.ts'
import type { Card } from './card.ts'
import { type Outcome, type Refused, refuse, type Submission } from './command.ts'
import { nameOf } from './entity.ts'
import type { Instant, Minor } from './money.ts'
import { markOf } from './posting.ts'
import type { Rules } from './rules.ts'
import { type Terminal, type TerminalId, valueOfNotes } from './terminal.ts'
import type { Asked, Operation } from './withdrawal.ts'

type Asking = TerminalDeposit | TerminalTransfer | ChangePin

const typeOf = {
  terminal_deposit: 'deposit',
  terminal_transfer: 'transfer',
  change_pin: 'pin_change',
} as const satisfies Record<Asking['type'], Operation['type']>

/** What was done, as its record tells of it. */
export type Done = Pick<
  OperationDone,
  'type' | 'account' | 'to' | 'card' | 'amount' | 'unit' | 'notes' | 'balance' | 'charged' | 'transfer'
>

/** Decides it, unless it was before: under its id, or by the numbers of its message. */
export function once(
  books: Books,
  by: Submission,
  command: Asking,
  now: Instant,
  rules: Rules,
  act: (terminal: Terminal) => Done | Refused,
): Outcome {
  const { terminal: at, id: operation } = command
  const terminal = terminalIn(books, at)
  if (terminal === undefined) return unknownTerminal()
  const used = useBefore(books, terminal, command, now, rules)
  if (used?.tombstone) return decided(refuse('already_reversed'))
  if (used !== undefined && used.of !== 'operation') return decided(refuse('idempotency_conflict'))
  const asked = askedOf(command, used?.id ?? operation, rules)
  const before = doneBefore(books, at, used?.id ?? operation, asked)
  if (before !== undefined) return before

  const meant = { of: typeOf[command.type], ...sumOf(command) }
  const forestalled = forestalledBy(books, terminal, command, meant, now)
  if (forestalled !== undefined)
    return decline(books, by, terminal, {
      command,
      asked,
      refused: refuse('already_reversed'),
      now,
      forestalled,
    })

  const done = act(terminal)
  if (done.type === 'refused') return decline(books, by, terminal, { command, asked, refused: done, now })
  const { batch, business_date } = terminal.batch
  const day = { batch, business_date: business_date ?? rules.dayOf(now) }
  books.append(
    { kind: 'operation_done', terminal: at, operation, ...done, ...saidBy(command), ...day, ...asked },
    markOf(by, now),
  )
  return decided(entityReply(books, nameOf.operation(at, operation), true))
}

/** What was decided under an id before: the same again has its answer, something else has none. */
function doneBefore(books: Books, terminal: TerminalId, id: string, asked: Asked): Outcome | undefined {
  const name = nameOf.operation(terminal, id)
  const found = ofKind(books.entity(name), 'operation')
  if (found === undefined) return undefined
  // A yes would say that the money was moved, and it went back.
  const isUndone = found.type === 'transfer' && found.state === 'reversed'
  if (found.tombstone || isUndone) return decided(refuse('already_reversed'))
  if (found.fingerprint !== asked.fingerprint) return decided(conflict(asked.marks, found.marks))
  if (found.code !== undefined) return repeated(refuse(found.code, undefined, found.about))
  return repeated(entityReply(books, name, false))
}

/** A machine that asks by messages says the same again by itself: it has the same no, and costs no try of a PIN. */
function decline(
  books: Books,
  by: Submission,
  { id: terminal, batch: { batch } }: Terminal,
  {
    command,
    asked,
    refused,
    now,
    forestalled,
  }: { command: Asking; asked: Asked; refused: Refused; now: Instant; forestalled?: string },
): Outcome {
  const { stamp, id: operation } = command
  const { refusal: code, about } = refused
  if (stamp === undefined) return decided(refused)
  const type = typeOf[command.type]
  const card = cardIn(books, command.pan ?? [])
  const what = { ...(card && { card: card.id }), ...askedFor(command, card), batch, code }
  books.append(
    {
      kind: 'operation_declined',
      type,
      terminal,
      operation,
      ...what,
      ...(about && { about }),
      ...(forestalled !== undefined && { forestalled_by: forestalled }),
      ...saidBy(command),
      ...asked,
    },
    markOf(by, now),
  )
  return decided(refused)
}

/** Which of the card's accounts the money of a transfer is to come from. */
export function debited({ from, from_type }: TerminalTransfer) {
  return { account: from, account_type: from_type }
}

/** How much money was asked for, and whose it would have been. */
function askedFor(
  command: Asking,
  card: Card | undefined,
): Pick<OperationDeclined, 'account' | 'amount' | 'notes'> {
  if (command.type === 'change_pin') return {}
  if (command.type === 'terminal_deposit') return { ...sumOf(command), notes: command.notes }
  const { account } = (card && chosenOf(card, debited(command))) ?? {}
  return { ...sumOf(command), ...(account !== undefined && { account }) }
}

function sumOf(command: Asking): { readonly amount?: Minor } {
  if (command.type === 'change_pin') return {}
  return { amount: command.type === 'terminal_deposit' ? valueOfNotes(command.notes) : command.amount }
}
