/** The rules of terminals themselves: made, in and out of service, signed on and off, their keys. */
import type {
  CreateTerminal,
  RetireMacKey,
  SetMacKey,
  SetPinKey,
  SetTerminalState,
  Sign,
} from './atm-commands.ts'
import type { TerminalChanged } from './atm-records.ts'
import { entityReply, terminalIn } from './atm-rules.ts'
import type { Books } from './books.ts'
import { type Refused, type Reply, refuse, type Submission } from './command.ts'
import { canPayTogether } from './dispense-plan.ts'
import { nameOf } from './entity.ts'
import type { Instant } from './money.ts'
import { markOf, open } from './posting.ts'
import { accountsOfTerminal, type Terminal, type TerminalId, type WrappedKey } from './terminal.ts'

export function createTerminal(books: Books, by: Submission, command: CreateTerminal, now: Instant): Reply {
  const { type: _, id, require_sign_on, ...plan } = command
  if (terminalIn(books, id) !== undefined) return refuse('terminal_exists')
  const paying = command.units.filter(({ type }) => type === 'cash_out')
  const values = paying.map(({ value = 0 }) => value)
  if (!canPayTogether(values, command.max_notes))
    return refuse('units_invalid', undefined, { units: paying.map((unit) => unit.id) })

  for (const number of Object.values(accountsOfTerminal(id)))
    open(books, by, { number, currency: plan.currency }, now)
  const must = require_sign_on && ({ require_sign_on: true } as const)
  books.append({ kind: 'terminal_created', terminal: id, ...plan, ...must }, markOf(by, now))
  return entityReply(books, nameOf.terminal(id), true)
}

/** Not while it is open: its notes are being exchanged. */
export function setTerminalState(
  books: Books,
  by: Submission,
  { terminal, state, reason }: SetTerminalState,
  now: Instant,
): Reply {
  return change(books, by, terminal, now, (found) => {
    if (found.exchange !== undefined) return refuse('exchange_open')
    return found.state === state ? undefined : { state, reason }
  })
}

export function sign(books: Books, by: Submission, { terminal, on }: Sign, now: Instant): Reply {
  // Also where it is so already: it was seen.
  return change(books, by, terminal, now, () => ({ signed_on: on }))
}

/** The key before stays good until a block has been read under this one. */
export function setPinKey(books: Books, by: Submission, { terminal, key }: SetPinKey, now: Instant): Reply {
  return change(books, by, terminal, now, ({ pin_keys }) => ({ pin_keys: withKey(pin_keys, key) }))
}

/** The key before stays good until a MAC was right under this one; where none is given, no key is good any more. */
export function setMacKey(books: Books, by: Submission, { terminal, key }: SetMacKey, now: Instant): Reply {
  return change(books, by, terminal, now, ({ mac_keys: before = [] }) => {
    const mac_keys = key === undefined ? [] : withKey(before, key)
    return mac_keys.length + before.length > 0 ? { mac_keys } : undefined
  })
}

/** Said by each of the messages that are under way then: only the first one changes anything. */
export function retireMacKey(
  books: Books,
  by: Submission,
  { terminal, wrapped }: RetireMacKey,
  now: Instant,
): Reply {
  return change(books, by, terminal, now, ({ mac_keys: [newest, before] = [] }) =>
    newest?.wrapped === wrapped && before !== undefined ? { mac_keys: [newest] } : undefined,
  )
}

/** Changes a terminal that is there as `changeOf` says, if it says anything. */
function change(
  books: Books,
  by: Submission,
  id: TerminalId,
  now: Instant,
  changeOf: (terminal: Terminal) => Omit<TerminalChanged, 'kind' | 'terminal'> | Refused | undefined,
): Reply {
  const terminal = terminalIn(books, id)
  if (terminal === undefined) return refuse('terminal_not_found')
  const changed = changeOf(terminal)
  if (changed !== undefined && 'type' in changed) return changed
  if (changed !== undefined)
    books.append({ kind: 'terminal_changed', terminal: id, ...changed }, markOf(by, now))
  return entityReply(books, nameOf.terminal(id), false)
}

/** A key that is given again needs none before it. */
function withKey([before]: readonly WrappedKey[], key: WrappedKey): readonly WrappedKey[] {
  return before === undefined || before.kcv === key.kcv ? [key] : [key, before]
}
