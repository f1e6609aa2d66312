/**
 * Card numbers and PINs as they come in bodies, and what they become before anything is queued, kept or logged. Of
 * them nothing goes further: not into a command, an error or an answer.
 */
import type { Bank } from '../../bank/bank.ts'
import type { CardIds } from '../../ledger/atm-commands.ts'
import type { CardId } from '../../ledger/card.ts'
import { nameOf } from '../../ledger/entity.ts'
import type { PinTry } from '../../ledger/pin.ts'
import type { TerminalId, WrappedKey } from '../../ledger/terminal.ts'
import { type NewPin, newPinFor } from '../../vault/new-pin.ts'
import { hasCheckDigit, lastFour } from '../../vault/pan.ts'
import type { GivenKey, Vault } from '../../vault/vault.ts'
import type { KeyPlace } from '../../vault/wrapping.ts'
import { ProblemError } from '../problem.ts'

type Options = {
  readonly bank: Bank
  readonly vault: Vault | undefined
  /** Whether PINs and keys may come in clear. */
  isDemo(): boolean
}

/** A PIN as it was entered: in clear, or as a block under the terminal's key. */
type Entered = { readonly pin?: string; readonly pin_block?: string }

/** A new one, where there is any. */
type Entering = { readonly new_pin?: string; readonly new_pin_block?: string }

/** A PIN as a system that issues cards sends it. */
type Setting = { readonly pin?: string; readonly pvv?: string; readonly pvki?: number }

export class Secrets {
  readonly #bank: Bank
  readonly #vault: Vault | undefined
  readonly #isDemo: () => boolean

  constructor({ bank, vault, isDemo }: Options) {
    this.#bank = bank
    this.#vault = vault
    this.#isDemo = isDemo
  }

  /** The card of a number, by every id it may have. What is kept beside it must not have the number in it. */
  cardOf(pan: string, kept = ''): { readonly pan: CardIds; readonly last4: string } {
    if (kept.includes(pan)) throw new ProblemError('invalid_request', 'id must not be a card number')
    return { pan: this.#keys().cardIds(pan), last4: lastFour(pan) }
  }

  /** The card of a number whose check digit is right: what is issued must be one. */
  newCardOf(pan: string): { readonly pan: CardIds; readonly last4: string } {
    if (!hasCheckDigit(pan)) throw new ProblemError('pan_check_digit')
    return this.cardOf(pan)
  }

  /** The PIN that was entered at a terminal as something to compare; nothing where none was. */
  async tryOf(
    terminal: TerminalId,
    { pan, pin, pin_block }: Entered & { readonly pan?: string },
  ): Promise<{ readonly pin?: PinTry }> {
    if (pin !== undefined && pin_block !== undefined)
      throw new ProblemError('invalid_request', 'pin and pin_block cannot be together')
    if (pin !== undefined) this.#demandDemo()
    if (pan === undefined) return {}
    if (pin !== undefined) return { pin: this.#keys().tryPin(pan, pin) }
    if (pin_block === undefined) return {}
    const keys = await this.#pinKeys(terminal)
    return { pin: this.#keys().tryBlock(pan, pin_block, { terminal, keys }) }
  }

  /** What is to stand for a new PIN that was entered at a terminal; nothing where it cannot be read. */
  async newPinOf(
    terminal: TerminalId,
    { pan, new_pin, new_pin_block }: Entering & { readonly pan: string },
  ): Promise<NewPin> {
    if ((new_pin === undefined) === (new_pin_block === undefined))
      throw new ProblemError('invalid_request', 'There must be either new_pin or new_pin_block')
    if (new_pin !== undefined) this.#demandDemo()
    const vault = this.#keys()
    const keys = new_pin === undefined ? await this.#pinKeys(terminal) : []
    const block = new_pin_block ?? ''
    return newPinFor(vault.cardIds(pan), (card) =>
      new_pin === undefined
        ? vault.referenceOfBlock(pan, block, { terminal, keys }, card)
        : vault.reference(card, new_pin),
    )
  }

  /** What is to stand for the PIN of a card, as whoever issues it says; nothing where that says none. */
  pinOf(card: CardId, { pin, pvv, pvki }: Setting): NewPin {
    if ((pvv === undefined) !== (pvki === undefined))
      throw new ProblemError('invalid_request', 'pvv and pvki must be together')
    if (pin !== undefined && pvv !== undefined)
      throw new ProblemError('invalid_request', 'pin and pvv cannot be together')
    if (pin !== undefined) {
      this.#demandDemo()
      return newPinFor([card], () => this.#keys().reference(card, pin))
    }
    if (pvv === undefined || pvki === undefined) return {}
    const vault = this.#keys()
    if (vault.checkValues[`pvk:${pvki}`] === undefined)
      throw new ProblemError('invalid_request', 'pvki names no key of this server')
    return newPinFor([card], () => vault.pvvReference(card, pvv, pvki))
  }

  /** A terminal's key as it is kept. */
  wrap(place: KeyPlace, key: GivenKey): WrappedKey {
    this.#demandDemo()
    const wrapped = this.#keys().wrap(place, key)
    if (wrapped === 'kcv_mismatch') throw new ProblemError('kcv_mismatch')
    if (wrapped === 'key_invalid')
      throw new ProblemError(
        'invalid_request',
        'key is none of this algorithm: of tdes 32 or 48 digits, of aes 32, 48 or 64',
      )
    return wrapped
  }

  async #pinKeys(terminal: TerminalId): Promise<readonly WrappedKey[]> {
    const found = await this.#bank.entity(nameOf.terminal(terminal))
    return found?.kind === 'terminal' ? found.pin_keys : []
  }

  #keys(): Vault {
    if (this.#vault === undefined) throw new ProblemError('card_keys_missing')
    return this.#vault
  }

  #demandDemo(): void {
    if (!this.#isDemo()) throw new ProblemError('clear_pin_disabled')
  }
}
