/**
 * Proves what was taken back by its reference alone, before it came: the first request with it that fits was refused, and
 * no other one for that.
 */
import type {
  AtmContent,
  OperationDeclined,
  OperationDone,
  WithdrawalAuthorized,
  WithdrawalDeclined,
  WithdrawalForestalled,
} from './atm-records.ts'
import type { Instant } from './money.ts'
import { isCount } from './verify-atm-known.ts'

type Request = WithdrawalAuthorized | WithdrawalDeclined | OperationDone | OperationDeclined

type Waiting = {
  readonly id: string
  readonly meant: NonNullable<WithdrawalForestalled['by_reference']>
  readonly at: Instant
  /** How many messages have had its reference since: of more than so many the oldest is forgotten. */
  readonly since: number
}

const hour = 60 * 60 * 1000
const sinceMost = 14
const kinds: readonly unknown[] = ['withdrawal', 'deposit', 'transfer', 'pin_change', undefined]

export class ReferenceVerifier {
  /** By terminal and reference: what waits for the one that was meant. */
  readonly #waiting = new Map<string, Waiting>()

  /** Takes a record that was found right otherwise; says what is wrong with what it forestalls, or by what it is forestalled. */
  take(content: AtmContent, at: Instant, isCard: (id: string) => boolean): string | undefined {
    switch (content.kind) {
      case 'withdrawal_forestalled':
        return this.#forestall(content, at, isCard)
      case 'withdrawal_authorized':
      case 'withdrawal_declined':
      case 'operation_done':
      case 'operation_declined':
        return this.#request(content, at)
      default:
        return undefined
    }
  }

  #forestall(
    { terminal, withdrawal: id, stan, rrn = '', by_reference: meant }: WithdrawalForestalled,
    at: Instant,
    isCard: (id: string) => boolean,
  ): string | undefined {
    if (meant === undefined) return undefined
    const { of, amount, card } = meant
    if (stan === undefined || rrn === '') return `forestalls ${terminal}/${id} by a reference that it has not`
    if (!kinds.includes(of) || !isCount(amount ?? 0) || (card !== undefined && !isCard(card)))
      return `forestalls ${terminal}/${id} as what there cannot be`
    this.#waiting.set(`${terminal} ${rrn}`, { id, meant, at, since: 0 })
    return undefined
  }

  #request(content: Request, at: Instant): string | undefined {
    const { terminal, stan, rrn = '' } = content
    const code = 'code' in content ? content.code : undefined
    const by = 'forestalled_by' in content ? content.forestalled_by : undefined
    const name = `${terminal} ${rrn}`
    const waiting = this.#waiting.get(name)
    if ((code === 'already_reversed') !== (by !== undefined))
      return `declines with ${code} what was forestalled by ${by}`
    if (by !== undefined) {
      this.#waiting.delete(name)
      const isIts = waiting?.id === by && fits(waiting, content, true)
      return isIts ? undefined : `declines what ${terminal}/${by} was not meant for, or not any more`
    }
    const isLate = waiting !== undefined && at - waiting.at < hour && waiting.since <= sinceMost
    if (isLate && !rrn.endsWith(stan ?? '') && fits(waiting, content, false))
      return `does what ${terminal}/${waiting.id} took back before, by its reference ${rrn}`
    for (const number of [rrn, stan]) this.#count(`${terminal} ${number}`)
    return undefined
  }

  #count(name: string): void {
    const waiting = this.#waiting.get(name)
    if (waiting !== undefined) this.#waiting.set(name, { ...waiting, since: waiting.since + 1 })
  }
}

/** Whether it is what was meant; `open` where a record that does not name its card may be of any. */
function fits({ meant: { of, amount, card } }: Waiting, content: Request, open: boolean): boolean {
  const kind = 'type' in content ? content.type : 'withdrawal'
  const isCard = card === undefined || card === content.card || (open && content.card === undefined)
  return (of ?? kind) === kind && (amount ?? content.amount ?? 0) === (content.amount ?? 0) && isCard
}
