/** How a PIN leaves a machine: in clear, which demos alone take, or as a block under the machine's own key. */
import { randomBytes } from 'node:crypto'
import { type Algorithm, type ClearKey, kcvOf } from '../vault/cipher.ts'
import { encodePinBlock } from '../vault/pin-block.ts'
import { AskedWrongError } from './faults.ts'
import type { Card } from './host.ts'

/** How a PIN goes over the line: in clear, or as a block under the machine's key. */
export type PinEntry = (card: Card) => { readonly pin?: string; readonly pin_block?: string }

export const enterNoPin: PinEntry = () => ({})

export const enterClearPin: PinEntry = ({ pin }) => (pin === undefined ? {} : { pin })

export function enterPinBlock(key: ClearKey): PinEntry {
  return ({ pan, pin }) => (pin === undefined ? {} : { pin_block: encodePinBlock(pan, pin, key) })
}

export function newPinKey(algorithm: Algorithm): ClearKey {
  return { algorithm, key: randomBytes(algorithm === 'tdes' ? 24 : 32) }
}

/** As a host is told it. */
export function wordsOf(key: ClearKey): { algorithm: Algorithm; key: string; kcv: string } {
  return { algorithm: key.algorithm, key: key.key.toString('hex'), kcv: kcvOf(key) }
}

/** `tdes:HEX` or `aes:HEX`. Never repeats what it was given. */
export function readPinKey(text: string): ClearKey {
  const [, algorithm, hex = ''] = /^(tdes|aes):((?:[0-9A-Fa-f]{16}){2,4})$/.exec(text) ?? []
  if (algorithm === undefined) throw new AskedWrongError('the PIN key must be tdes:HEX or aes:HEX')
  return { algorithm: algorithm as Algorithm, key: Buffer.from(hex, 'hex') }
}
