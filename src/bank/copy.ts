/** What a copy of a journal is, wherever it comes from and goes to: where it ends, and what is proven of it. */
import type { Block } from '../ledger/block.ts'
import type { Instant } from '../ledger/money.ts'
import type { Line } from '../ledger/record.ts'
import { faultText, type Proven, type Verifier } from '../ledger/verify.ts'
import { StoreError } from './store.ts'

/** A block with the lines it seals. */
export type Sealed = { readonly block: Block; readonly lines: readonly Line[] }

/** Where to end: behind this block, or before the first one that was committed after this instant. */
export type Until = { readonly block?: number; readonly at?: Instant }

/** What was copied, which has been proven, and when its last block was committed. */
export type Copied = Proven & { readonly at: Instant }

export function isBeyond({ block: lastBlock, at: lastAt }: Until, { sequence, at }: Block): boolean {
  return (lastBlock !== undefined && sequence > lastBlock) || (lastAt !== undefined && at > lastAt)
}

/** What all the blocks prove. Throws a StoreError `unusable` where it is nothing, or not as far as was asked for. */
export function provenCopy(verifier: Verifier, { block }: Until): Copied {
  const found = verifier.finish()
  if ('what' in found) throw uncopied(faultText(found))
  if (found.blocks === 0) throw uncopied('there is no block to copy')
  if (block !== undefined && found.blocks < block)
    throw uncopied(`block ${found.blocks} is the last there is`)
  return { ...found, at: verifier.head.at }
}

/** Why there is no copy. */
export function uncopied(message: string, cause?: unknown): StoreError {
  return new StoreError('unusable', message, { cause })
}
