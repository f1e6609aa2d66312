/** The rules of terminals themselves: made, in and out of service, signed on and off, their keys. */
import type {
  CreateTerminal,
  RetireMacKey,
  SetMacKey,
  SetPinKey,
  SetTerminalState,
  Sign,
} from './atm-commands.ts'
import { entityReply, terminalIn } from './atm-rules.ts'
import type { Books } from './books.ts'
import { type Reply, refuse, type Submission } from './command.ts'
import { canPayTogether } from './dispense-plan.ts'
import { nameOf } from './entity.ts'
import type { Instant } from './money.ts'
import { markOf, open } from './posting.ts'
import { accountsOfTerminal, type WrappedKey } from './terminal.ts'

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
  { terminal: id, state, reason }: SetTerminalState,
  now: Instant,
): Reply {
  const terminal = terminalIn(books, id)
  if (terminal === undefined) return refuse('terminal_not_found')
  if (terminal.exchange !== undefined) return refuse('exchange_open')

  if (terminal.state !== state)
    books.append({ kind: 'terminal_changed', terminal: id, state, reason }, markOf(by, now))
  return entityReply(books, nameOf.terminal(id), false)
}

export function sign(books: Books, by: Submission, { terminal: id, on }: Sign, now: Instant): Reply {
  if (terminalIn(books, id) === undefined) return refuse('terminal_not_found')
  // Also where it is so already: it was seen.
  books.append({ kind: 'terminal_changed', terminal: id, signed_on: on }, markOf(by, now))
  return entityReply(books, nameOf.terminal(id), false)
}

/** The key before stays good until a block has been read under this one. */
export function setPinKey(
  books: Books,
  by: Submission,
  { terminal: id, key }: SetPinKey,
  now: Instant,
): Reply {
  const terminal = terminalIn(books, id)
  if (terminal === undefined) return refuse('terminal_not_found')

  const pin_keys = withKey(terminal.pin_keys, key)
  books.append({ kind: 'terminal_changed', terminal: id, pin_keys }, markOf(by, now))
  return entityReply(books, nameOf.terminal(id), false)
}

/** The key before stays good until a MAC was right under this one; where none is given, no key is good any more. */
export function setMacKey(
  books: Books,
  by: Submission,
  { terminal: id, key }: SetMacKey,
  now: Instant,
): Reply {
  const terminal = terminalIn(books, id)
  if (terminal === undefined) return refuse('terminal_not_found')

  const { mac_keys: before = [] } = terminal
  const mac_keys = key === undefined ? [] : withKey(before, key)
  if (mac_keys.length + before.length > 0)
    books.append({ kind: 'terminal_changed', terminal: id, mac_keys }, markOf(by, now))
  return entityReply(books, nameOf.terminal(id), false)
}

/** Said by each of the messages that are under way then: only the first one changes anything. */
export function retireMacKey(
  books: Books,
  by: Submission,
  { terminal: id, wrapped }: RetireMacKey,
  now: Instant,
): Reply {
  const terminal = terminalIn(books, id)
  if (terminal === undefined) return refuse('terminal_not_found')

  const [newest, before] = terminal.mac_keys ?? []
  if (newest?.wrapped === wrapped && before !== undefined)
    books.append({ kind: 'terminal_changed', terminal: id, mac_keys: [newest] }, markOf(by, now))
  return entityReply(books, nameOf.terminal(id), false)
}

/** A key that is given again needs none before it. */
function withKey([before]: readonly WrappedKey[], key: WrappedKey): readonly WrappedKey[] {
  return before === undefined || before.kcv === key.kcv ? [key] : [key, before]
}
