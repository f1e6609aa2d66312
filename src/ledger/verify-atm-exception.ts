/** Proves exceptions: what could not be booked, what somebody says of it, and that they said it once. */
import type { AtmContent, ExceptionOpened, ExceptionResolved, ExceptionWaits } from './atm-records.ts'
import { type ExceptionType, exceptionTypes, type Word } from './exception.ts'
import {
  type Around,
  isCount,
  type KnownException,
  type KnownTerminal,
  type KnownWithdrawal,
} from './verify-atm-known.ts'

/** The states in which a withdrawal is when something is said of it. */
const statesOf: Readonly<Partial<Record<ExceptionType, readonly KnownWithdrawal['state'][]>>> = {
  suspect: ['suspect'],
  over_dispensed: ['suspect'],
  confirm_after_reversal: ['reversed'],
  reverse_after_confirm: ['completed', 'partially_completed'],
  late_reversal: ['reversed'],
  reversal_mismatch: ['completed', 'partially_completed'],
  unknown_advice: ['declined', 'forestalled'],
}

export function judgeOpened(
  content: ExceptionOpened,
  {
    id,
    at,
    terminal,
    withdrawal,
    newest,
    last,
  }: Pick<Around, 'id' | 'at'> & {
    readonly terminal: KnownTerminal
    readonly withdrawal: KnownWithdrawal | undefined
    readonly newest: KnownException | undefined
    readonly last: AtmContent | undefined
  },
): string | undefined {
  const { exception, type, currency, amount } = content
  if (exception !== `exc_${at.toString(36).padStart(9, '0')}-${id}`)
    return `opens ${exception}, which is not its name`
  if (!exceptionTypes.includes(type)) return `opens an exception of no kind: ${type}`
  if (currency !== terminal.currency) return `opens an exception in ${currency}`
  if (!isCount(amount)) return `opens an exception of ${amount}, which is no amount`
  const states = statesOf[type]
  if (content.withdrawal === undefined) {
    const isBare = content.account === undefined && content.proposal === undefined
    if (states !== undefined || !isBare) return `opens ${type} of no withdrawal`
    return type === 'pin_key' && amount !== 0 ? `opens ${type} over ${amount}` : undefined
  }
  const of = `${terminal.id}/${content.withdrawal}`
  if (withdrawal === undefined) return `opens ${type} of ${of}, which there is not`
  if (!states?.includes(withdrawal.state)) return `opens ${type} of ${of}, which is ${withdrawal.state}`
  const isJustBefore =
    last !== undefined &&
    'withdrawal' in last &&
    last.kind !== 'exception_opened' &&
    last.withdrawal === content.withdrawal &&
    last.terminal === terminal.id
  if (!isJustBefore) return `opens ${type} of ${of}, of which nothing was said just before`
  if (newest?.state === 'open' && newest.type === type) return `opens ${type} of ${of} again`
  if (content.account !== withdrawal.account || content.last4 !== withdrawal.last4)
    return `opens ${type} of ${of} on another account`
  return judgeAmount(content, withdrawal)
}

/** What is told to have left is what the exception is of; where nothing is, nothing left, or all of it is in doubt. */
function judgeAmount(
  { type, amount, proposal }: ExceptionOpened,
  { amount: asked, terminal, id }: KnownWithdrawal,
): string | undefined {
  const wrong = `opens ${type} of ${terminal}/${id} over ${amount}, and proposes ${proposal?.dispensed}`
  const proposed = proposal?.dispensed
  switch (type) {
    case 'suspect':
      return amount === asked && proposed === undefined ? undefined : wrong
    case 'late_reversal':
    case 'reverse_after_confirm':
      return amount === asked && proposed === 0 ? undefined : wrong
    case 'over_dispensed':
      return amount > asked && proposed === amount ? undefined : wrong
    case 'unknown_advice':
      return proposed === undefined ? undefined : wrong
    default:
      return proposed === undefined || (proposed === amount && amount <= asked) ? undefined : wrong
  }
}

type Saying = {
  readonly actor: string
  readonly exception: KnownException | undefined
  readonly withdrawal: KnownWithdrawal | undefined
  /** The newest about the withdrawal. */
  readonly newest: KnownException | undefined
}

/** Whether money of a customer is meant, so that somebody must say how much left. */
export function isOfMoney(withdrawal: KnownWithdrawal | undefined): boolean {
  return withdrawal?.account !== undefined && withdrawal.state !== 'declined'
}

function judgeWord(
  word: Word,
  { actor, exception, withdrawal, newest }: Saying,
  id: string,
): string | undefined {
  const { dispensed, by } = word
  if (exception?.state !== 'open') return `speaks of ${id}, which is no exception that is open`
  if (by !== actor) return `is the word of ${by}, by ${actor}`
  if (typeof word.reason !== 'string' || typeof word.person !== 'string') return `speaks of ${id} in no words`
  if (isOfMoney(withdrawal) !== (dispensed !== undefined)) return `says of ${id} that ${dispensed} left`
  if (dispensed === undefined) return undefined
  const most = newest?.type === 'over_dispensed' ? Number.MAX_SAFE_INTEGER : (withdrawal?.amount ?? 0)
  return isCount(dispensed) && dispensed <= most
    ? undefined
    : `says of ${id} that ${dispensed} left of ${withdrawal?.amount}`
}

export function judgeWaits({ exception: id, word }: ExceptionWaits, saying: Saying): string | undefined {
  const what = judgeWord(word, saying, id)
  if (what !== undefined) return what
  const { waits } = saying.exception ?? {}
  return waits?.word.by === word.by && waits.word.dispensed === word.dispensed
    ? `says of ${id} what ${word.by} has said before`
    : undefined
}

/** What was settled just before is what is said; nothing was where no money is meant. */
export function judgeResolved(
  { exception: id, word, transfers }: ExceptionResolved,
  saying: Saying,
  last: AtmContent | undefined,
): string | undefined {
  const what = judgeWord(word, saying, id)
  if (what !== undefined) return what
  const { exception, withdrawal } = saying
  if (!isOfMoney(withdrawal))
    return transfers.length === 0 ? undefined : `resolves ${id} by transfers, of which there are none`
  const settled = last?.kind === 'withdrawal_settled' ? last : undefined
  const isIts = settled?.withdrawal === exception?.withdrawal && settled?.terminal === exception?.terminal
  if (settled === undefined || !isIts) return `resolves ${id}, which was not settled just before`
  if (settled.dispensed !== word.dispensed || `${settled.transfers}` !== `${transfers}`)
    return `resolves ${id} otherwise than it was settled just before`
  return settled.by === 'resolution' ? undefined : judgeBy(word, id)
}

/** Of a machine's word and of a count, no person is named. */
function judgeBy({ person }: Word, id: string): string | undefined {
  return person === '' ? undefined : `resolves ${id} in the name of ${person}, who was not asked`
}

/** Two are needed for what moves much: the one who said so first, and another who says the same. */
export function judgeSecond(
  { exception: id, word }: ExceptionResolved,
  { waits }: KnownException,
  moved: number,
): string | undefined {
  if (waits === undefined || word.by === '' || moved < waits.moves) return undefined
  const { by, person, dispensed } = waits.word
  const isSecond = word.by !== by && word.person !== person && word.dispensed === dispensed
  return isSecond ? undefined : `resolves ${id} by the word of one, where it waits for two`
}
