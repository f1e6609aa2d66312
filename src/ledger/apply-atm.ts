/** The rules of the ATM side: which command is decided where. */
import type { Rules } from './apply.ts'
import type { AtmCommand } from './atm-commands.ts'
import type { Books } from './books.ts'
import type { Outcome, Submission } from './command.ts'
import type { Instant } from './money.ts'

/** Decides a command of the ATM side. What it answers may be what was answered before under the terminal's own id. */
export function applyAtm(
  _books: Books,
  _by: Submission,
  command: AtmCommand,
  _now: Instant,
  _rules: Rules,
): Outcome {
  throw new Error(`${command.type} has no rule yet`)
}
