/** A PIN that is to be set, as a submission has it. */
import type { CardId } from '../ledger/card.ts'

export type NewPin = { readonly new_pin?: Readonly<Record<CardId, string>> }

/** What is to stand for it by each id that the card may have: which one it has, the books know. Nothing where it cannot be read. */
export function newPinFor(cards: readonly CardId[], reference: (card: CardId) => string | undefined): NewPin {
  const references = cards.flatMap((card) => {
    const made = reference(card)
    return made === undefined ? [] : [[card, made]]
  })
  return references.length === 0 ? {} : { new_pin: Object.fromEntries(references) }
}
