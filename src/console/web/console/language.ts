/**
 * The language of the console: the one its address asks for (`?lang=he`), else the one chosen before, else the
 * browser's, else English.
 */

export type Language = 'en' | 'he'

/** A page's words, to be loaded in the language they are wanted in. */
export type Spoken<Words> = Readonly<Record<Language, () => Promise<{ readonly words: Words }>>>

const keptAs = 'cashpoint-language'

export const language: Language = chosen()

export async function wordsOf<Words>(spoken: Spoken<Words>): Promise<Words> {
  return (await spoken[language]()).words
}

function chosen(): Language {
  const address = new URL(location.href)
  const asked = address.searchParams.get('lang')
  if (asked !== null) {
    localStorage.setItem(keptAs, asked)
    address.searchParams.delete('lang')
    history.replaceState(history.state, '', address)
  }
  const wanted = asked ?? localStorage.getItem(keptAs) ?? navigator.languages[0] ?? 'en'
  const [first = 'en'] = wanted.toLowerCase().split('-')
  return first === 'he' || first === 'iw' ? 'he' : 'en'
}
