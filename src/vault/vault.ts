/**
 * The only place that sees a PIN, a PIN block or a terminal's key in clear. What leaves it can be compared and stored, and
 * says nothing. It knows no store and no rule, and keeps nothing but its keys.
 */
import assert from 'node:assert'
import { createSecretKey, timingSafeEqual } from 'node:crypto'
import type { CardId } from '../ledger/card.ts'
import type { PinTry } from '../ledger/pin.ts'
import type { WrappedKey } from '../ledger/terminal.ts'
import { type CheckValues, checkValuesOf } from './check-values.ts'
import { type ClearKey, isSound, kcvOf } from './cipher.ts'
import { digest, type KeyRing, type KeyVersion, newestFirst, type Versions } from './key-ring.ts'
import { macOf } from './mac.ts'
import { isPan } from './pan.ts'
import { decodePinBlock, isPin } from './pin-block.ts'
import { pvvOf } from './pvv.ts'
import { type KeyPlace, unwrapKey, wrapKey } from './wrapping.ts'

/** What card ids, references of PINs and wrapped keys are made with; and the PVKs of imported cards, by their index. */
export type VaultKeys = {
  readonly pan: KeyRing
  readonly pin: KeyRing
  readonly wrap: KeyRing
  readonly pvk?: Readonly<Record<number, Buffer>>
}

/** A terminal and its keys of one use as the store has them, newest first. */
export type TerminalKeys = { readonly terminal: string; readonly keys: readonly WrappedKey[] }

/** A key as it is handed over: hexadecimal, with the check value that its maker gave. */
export type GivenKey = {
  readonly algorithm: ClearKey['algorithm']
  readonly key: string
  readonly kcv: string
}

export class Vault {
  /** By name and version, `pan:1`: of each key enough to know it again, and nothing of it. Safe in the store. */
  readonly checkValues: CheckValues
  readonly #pan: Versions
  readonly #pin: Versions
  readonly #wrap: Versions
  readonly #pvks: readonly { readonly pvki: number; readonly pvk: Buffer }[]

  constructor({ pan, pin, wrap, pvk = {} }: VaultKeys) {
    this.#pan = newestFirst(pan)
    this.#pin = newestFirst(pin)
    this.#wrap = newestFirst(wrap)
    this.#pvks = Object.entries(pvk).map(([pvki, pvk]) => ({ pvki: Number(pvki), pvk }))
    const pvks = this.#pvks.map(({ pvki, pvk }) => ({ version: pvki, key: createSecretKey(pvk) }))
    this.checkValues = {
      ...checkValuesOf('pan', this.#pan),
      ...checkValuesOf('pin', this.#pin),
      ...checkValuesOf('wrap', this.#wrap),
      ...checkValuesOf('pvk', pvks),
    }
  }

  /** What a card may be known by: under the newest key first, then under each older one. */
  cardIds(pan: string): readonly CardId[] {
    assert(isPan(pan), 'a card number must have 12 to 19 digits')
    return this.#pan.map(({ key }) => `card_${digest(key, pan).slice(0, 32)}`)
  }

  /** Of a PIN in clear, which only demo mode takes: the caller sees to that. */
  tryPin(pan: string, pin: string): PinTry {
    return { references: isPin(pin) ? this.#referencesOf(pan, pin) : [], decoded: true }
  }

  /** Of a PIN block in hexadecimal: 16 digits under a TDES key, 32 under an AES key. Never throws over a block. */
  tryBlock(pan: string, block: string, keys: TerminalKeys): PinTry {
    const found = this.#decode(pan, block, keys)
    // What did not decode takes as long as what did, so that the time of an answer tells nobody which it was.
    const references = this.#referencesOf(pan, found?.pin ?? '0000')
    return found === undefined
      ? { references: [], decoded: false }
      : { references, decoded: true, key: found.at }
  }

  /** What stands for a PIN of a card: `h<key version>:` and an HMAC in hexadecimal. */
  reference(card: CardId, pin: string): string {
    assert(isPin(pin), 'a PIN must have 4 to 12 digits')
    return pinReference(this.#pin[0], card, pin)
  }

  /** The same of a new PIN that came as a block; undefined where that does not decode. */
  referenceOfBlock(pan: string, block: string, keys: TerminalKeys, card: CardId): string | undefined {
    const found = this.#decode(pan, block, keys)
    return found && this.reference(card, found.pin)
  }

  /**
   * What stands for a PIN of which there is but a Visa PVV: `v<key version>:<PVKI>:` and an HMAC, so that the PVV is
   * not kept. Without a PVK of that index (`checkValues` has no `pvk:1`) no PIN will ever be right.
   */
  pvvReference(card: CardId, pvv: string, pvki: number): string {
    assert(/^[0-9]{4}$/.test(pvv), 'a PVV must have 4 digits')
    return valueReference(this.#pin[0], card, { pvki, pvv })
  }

  /** A terminal's key as the store may have it. Equal halves make TDES into DES, which anyone breaks: no key. */
  wrap(
    place: KeyPlace,
    { algorithm, key: text, kcv }: GivenKey,
  ): WrappedKey | 'kcv_mismatch' | 'key_invalid' {
    const clear = { algorithm, key: Buffer.from(text, 'hex') }
    if (text.length !== 2 * clear.key.length || !isSound(clear)) return 'key_invalid'
    if (kcvOf(clear) !== kcv.toUpperCase()) return 'kcv_mismatch'
    return { algorithm, wrapped: wrapKey(this.#wrap[0], place, clear), kcv: kcvOf(clear) }
  }

  /** The MAC of bytes under a MAC key of a terminal, 8 bytes; undefined where that key does not open. */
  mac(bytes: Uint8Array, terminal: string, wrapped: WrappedKey): Buffer | undefined {
    const key = unwrapKey(this.#wrap, { terminal, use: 'mac-key' }, wrapped)
    return key && macOf(key, bytes)
  }

  /** At which of a terminal's MAC keys this is the MAC of the bytes. Every key is tried, and compared in constant time. */
  keyOfMac(bytes: Uint8Array, mac: Uint8Array, { terminal, keys }: TerminalKeys): number | undefined {
    const found = keys.flatMap((wrapped, at) => {
      const right = this.mac(bytes, terminal, wrapped)
      return right?.length === mac.length && timingSafeEqual(right, mac) ? [at] : []
    })
    return found[0]
  }

  /** Everything that may be stored of this PIN, whichever keys were the newest then. */
  #referencesOf(pan: string, pin: string): readonly string[] {
    const values = this.#pvks.map(({ pvki, pvk }) => ({ pvki, pvv: pvvOf(pan, pin, { pvki, pvk }) }))
    return this.cardIds(pan).flatMap((card) =>
      this.#pin.flatMap((version) => [
        pinReference(version, card, pin),
        ...values.map((value) => valueReference(version, card, value)),
      ]),
    )
  }

  /** Every key is tried, also behind the right one: where that stands is not for the clock to tell. */
  #decode(
    pan: string,
    block: string,
    { terminal, keys }: TerminalKeys,
  ): { readonly pin: string; readonly at: number } | undefined {
    assert(isPan(pan), 'a card number must have 12 to 19 digits')
    const found = keys.flatMap((wrapped, at) => {
      // One that does not open decodes nothing: after some tries the terminal is put out of service with an exception.
      const key = unwrapKey(this.#wrap, { terminal, use: 'pin-key' }, wrapped)
      const pin = key && decodePinBlock(pan, block, key)
      return pin === undefined ? [] : [{ pin, at }]
    })
    return found[0]
  }
}

function pinReference({ version, key }: KeyVersion, card: CardId, pin: string): string {
  return `h${version}:${digest(key, `pin ${card} ${pin}`)}`
}

function valueReference(
  { version, key }: KeyVersion,
  card: CardId,
  { pvki, pvv }: { readonly pvki: number; readonly pvv: string },
): string {
  return `v${version}:${pvki}:${digest(key, `pvv ${card} ${pvki} ${pvv}`)}`
}
