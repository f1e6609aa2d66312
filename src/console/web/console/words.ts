/** The words of the shell and its parts; each page brings its own. */
import { wordsOf } from './language.ts'

export { language, type Spoken, wordsOf } from './language.ts'

export const words = await wordsOf({
  en: () => import('./messages/common.en.ts'),
  he: () => import('./messages/common.he.ts'),
})

/** What an exception is about. */
export function exceptionText(type: string): string {
  return (words.exceptionTypes as Readonly<Record<string, string>>)[type] ?? type
}
