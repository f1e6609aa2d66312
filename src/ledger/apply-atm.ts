/** The rules of the ATM side: which command is decided where. */
import { advise } from './apply-advices.ts'
import { blockCard, issueCard, setPin, unblockCard } from './apply-cards.ts'
import { closeBatch, countUnits, endExchange, startExchange } from './apply-cash.ts'
import { resolveException } from './apply-exceptions.ts'
import { changePin, inquire, terminalDeposit, terminalTransfer } from './apply-operations.ts'
import { reverseDeposit } from './apply-reversals.ts'
import {
  createTerminal,
  retireMacKey,
  setMacKey,
  setPinKey,
  setTerminalState,
  sign,
} from './apply-terminals.ts'
import {
  authorize,
  confirm,
  expireWithdrawal,
  reverseWithdrawal,
  startDispense,
} from './apply-withdrawals.ts'
import type { AtmCommand, KnowKeys, OpenDemo } from './atm-commands.ts'
import { decided, entityReply } from './atm-rules.ts'
import type { Books } from './books.ts'
import type { Outcome, Submission } from './command.ts'
import { nameOf } from './entity.ts'
import type { Instant } from './money.ts'
import { markOf } from './posting.ts'
import type { Rules } from './rules.ts'

/** Decides a command of the ATM side. What it answers may be what was answered before under the terminal's own id. */
export function applyAtm(
  books: Books,
  by: Submission,
  command: AtmCommand,
  now: Instant,
  rules: Rules,
): Outcome {
  switch (command.type) {
    case 'authorize':
      return authorize(books, by, command, now, rules)
    case 'start_dispense':
      return startDispense(books, by, command, now)
    case 'confirm':
      return confirm(books, by, command, now, rules)
    case 'advise':
      return advise(books, by, command, now, rules)
    case 'reverse_withdrawal':
      return reverseWithdrawal(books, by, command, now)
    case 'expire_withdrawal':
      return expireWithdrawal(books, by, command, now)
    case 'inquire':
      return decided(inquire(books, by, command, now, rules))
    case 'terminal_deposit':
      return terminalDeposit(books, by, command, now, rules)
    case 'reverse_deposit':
      return reverseDeposit(books, by, command, now)
    case 'terminal_transfer':
      return terminalTransfer(books, by, command, now, rules)
    case 'change_pin':
      return changePin(books, by, command, now, rules)
    case 'create_terminal':
      return decided(createTerminal(books, by, command, now))
    case 'set_terminal_state':
      return decided(setTerminalState(books, by, command, now))
    case 'sign':
      return decided(sign(books, by, command, now))
    case 'set_pin_key':
      return decided(setPinKey(books, by, command, now))
    case 'set_mac_key':
      return decided(setMacKey(books, by, command, now))
    case 'retire_mac_key':
      return decided(retireMacKey(books, by, command, now))
    case 'close_batch':
      return closeBatch(books, by, command, now, rules)
    case 'start_exchange':
      return startExchange(books, by, command, now, rules)
    case 'count_units':
      return decided(countUnits(books, by, command, now))
    case 'end_exchange':
      return decided(endExchange(books, by, command, now, rules))
    case 'resolve_exception':
      return resolveException(books, by, command, now, rules)
    case 'issue_card':
      return decided(issueCard(books, by, command, now))
    case 'block_card':
      return decided(blockCard(books, by, command, now))
    case 'unblock_card':
      return decided(unblockCard(books, by, command, now))
    case 'set_pin':
      return decided(setPin(books, by, command, now))
    case 'open_demo':
      return decided(openDemo(books, by, command, now))
    case 'know_keys':
      return decided(knowKeys(books, by, command, now))
  }
}

function openDemo(books: Books, by: Submission, { terminal, cards }: OpenDemo, now: Instant) {
  const made = books.entity(nameOf.demo) === undefined
  if (made) books.append({ kind: 'demo_opened', terminal, cards }, markOf(by, now))
  return entityReply(books, nameOf.demo, made)
}

function knowKeys(books: Books, by: Submission, { values }: KnowKeys, now: Instant) {
  books.append({ kind: 'keys_known', values }, markOf(by, now))
  return entityReply(books, nameOf.keys, true)
}
