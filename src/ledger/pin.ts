/** What an entered PIN has become before the ledger sees it: something to compare, which says nothing. */

/** `references` is empty where the PIN block did not decode; `key` is which of the terminal's keys it decoded under. */
export type PinTry = {
  readonly references: readonly string[]
  readonly decoded: boolean
  readonly key?: number
}

/** Whether a card's reference is among those of a try; takes as long whichever it is, and where it differs. */
export function matches(stored: string, { references }: PinTry): boolean {
  let found = 0
  for (const reference of references) {
    let differs = reference.length ^ stored.length
    for (let i = 0; i < stored.length; i += 1)
      differs |= stored.charCodeAt(i) ^ (reference.charCodeAt(i) || 0)
    found |= differs === 0 ? 1 : 0
  }
  return found === 1
}
