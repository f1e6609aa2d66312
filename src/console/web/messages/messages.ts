/** Which language the page speaks: the one its address asks for, else the browser's, else English. */
import { en, type Messages } from './en.ts'

export type { Messages } from './en.ts'

export async function messagesFor(asked: string | null, preferred: readonly string[]): Promise<Messages> {
  const [language] = (asked ?? preferred[0] ?? 'en').toLowerCase().split('-')
  if (language !== 'he' && language !== 'iw') return en
  return (await import('./he.ts')).he
}
