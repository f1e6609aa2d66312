import { words } from '../words.ts'

/** What an exception is about, in words. */
export function exceptionText(type: string): string {
  return (words.exceptionTypes as Readonly<Record<string, string>>)[type] ?? type
}
