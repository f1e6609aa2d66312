/** Why a command was refused: in a sentence of its own, where people who decide need one. */
import { CashpointError } from '../../../../client/errors.ts'
import { failureText } from '../api.ts'
import { wordsOf } from '../words.ts'

const texts: Readonly<Record<string, string>> = await wordsOf({
  en: () => import('../messages/refusals.en.ts'),
  he: () => import('../messages/refusals.he.ts'),
})

export function refusalText(error: unknown): string {
  const own = error instanceof CashpointError ? texts[error.code] : undefined
  return own ?? failureText(error)
}
