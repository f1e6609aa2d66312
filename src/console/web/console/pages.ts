/** The table of pages: at which address each is, and what is loaded for it when somebody goes there. */
import type { View } from '../html.ts'
import { type Spoken, wordsOf } from './language.ts'
import type { Place } from './place.ts'
import { loginPath } from './router.ts'
import type { Section } from './sections.ts'
import { styled } from './styles.ts'

/** A page as a component: drawn with its place, and its words in the language there is. It begins with `pageHead`. */
export type Page<Words> = (seen: { readonly place: Place; readonly words: Words }) => View

export type Ready = (seen: { readonly place: Place }) => View

export type PageRoute = {
  /** Such as `/console/terminals/:terminal`. */
  readonly path: string
  /** The section that is marked while one is there. */
  readonly section?: Section | undefined
  load(): Promise<Ready>
}

type Parts<Words> = {
  readonly section?: Section
  /** The module with the page. */
  readonly page: () => Promise<{ readonly page: Page<Words> }>
  readonly words: Spoken<Words>
  /** Whether there is a stylesheet of this name in `pages/`. */
  readonly style?: string
}

const terminalWords = {
  en: () => import('./messages/terminal.en.ts'),
  he: () => import('./messages/terminal.he.ts'),
}

export const pages: readonly PageRoute[] = [
  route('/console', {
    section: 'overview',
    page: () => import('./pages/overview.ts'),
    words: { en: () => import('./messages/overview.en.ts'), he: () => import('./messages/overview.he.ts') },
    style: 'overview',
  }),
  route('/console/search', {
    page: () => import('./pages/search.ts'),
    words: { en: () => import('./messages/search.en.ts'), he: () => import('./messages/search.he.ts') },
  }),
  route('/console/terminals', {
    section: 'terminals',
    page: () => import('./pages/terminals.ts'),
    words: {
      en: () => import('./messages/terminals.en.ts'),
      he: () => import('./messages/terminals.he.ts'),
    },
  }),
  route('/console/terminals/:terminal', {
    section: 'terminals',
    page: () => import('./pages/terminal.ts'),
    words: terminalWords,
    style: 'terminal',
  }),
  route('/console/terminals/:terminal/withdrawals', {
    section: 'terminals',
    page: () => import('./pages/terminal-withdrawals.ts'),
    words: terminalWords,
    style: 'terminal',
  }),
  route('/console/terminals/:terminal/batches', {
    section: 'terminals',
    page: () => import('./pages/terminal-batches.ts'),
    words: terminalWords,
    style: 'terminal',
  }),
  route('/console/terminals/:terminal/batches/:batch', {
    section: 'terminals',
    page: () => import('./pages/terminal-batch.ts'),
    words: terminalWords,
    style: 'terminal',
  }),
  route('/console/terminals/:terminal/withdrawals/:withdrawal', {
    section: 'terminals',
    page: () => import('./pages/withdrawal.ts'),
    words: {
      en: () => import('./messages/withdrawal.en.ts'),
      he: () => import('./messages/withdrawal.he.ts'),
    },
    style: 'withdrawal',
  }),
  route('/console/exceptions', {
    section: 'exceptions',
    page: () => import('./pages/exceptions.ts'),
    words: {
      en: () => import('./messages/exceptions.en.ts'),
      he: () => import('./messages/exceptions.he.ts'),
    },
    style: 'withdrawal',
  }),
  route('/console/exceptions/:exception', {
    section: 'exceptions',
    page: () => import('./pages/exception.ts'),
    words: {
      en: () => import('./messages/exception.en.ts'),
      he: () => import('./messages/exception.he.ts'),
    },
    style: 'withdrawal',
  }),
  route('/console/accounts', {
    section: 'accounts',
    page: () => import('./pages/accounts.ts'),
    words: { en: () => import('./messages/accounts.en.ts'), he: () => import('./messages/accounts.he.ts') },
    style: 'account',
  }),
  route('/console/accounts/:account', {
    section: 'accounts',
    page: () => import('./pages/account.ts'),
    words: { en: () => import('./messages/account.en.ts'), he: () => import('./messages/account.he.ts') },
    style: 'account',
  }),
  route('/console/accounts/:account/statement', {
    section: 'accounts',
    page: () => import('./pages/account-statement.ts'),
    words: {
      en: () => import('./messages/account-statement.en.ts'),
      he: () => import('./messages/account-statement.he.ts'),
    },
    style: 'account',
  }),
  route('/console/cards', {
    section: 'cards',
    page: () => import('./pages/cards.ts'),
    words: { en: () => import('./messages/cards.en.ts'), he: () => import('./messages/cards.he.ts') },
    style: 'card',
  }),
  route('/console/cards/:card', {
    section: 'cards',
    page: () => import('./pages/card.ts'),
    words: { en: () => import('./messages/card.en.ts'), he: () => import('./messages/card.he.ts') },
    style: 'card',
  }),
  route('/console/journal', {
    section: 'journal',
    page: () => import('./pages/journal.ts'),
    words: { en: () => import('./messages/journal.en.ts'), he: () => import('./messages/journal.he.ts') },
    style: 'journal',
  }),
  route('/console/live', {
    section: 'live',
    page: () => import('./pages/live.ts'),
    words: { en: () => import('./messages/live.en.ts'), he: () => import('./messages/live.he.ts') },
    style: 'live',
  }),
  route(loginPath, {
    page: () => import('./pages/login.ts'),
    words: { en: () => import('./messages/login.en.ts'), he: () => import('./messages/login.he.ts') },
    style: 'login',
  }),
]

function route<Words>(path: string, { section, page, words, style }: Parts<Words>): PageRoute {
  let ready: Ready | undefined
  const load = async () => {
    const [module, spoken] = await Promise.all([page(), wordsOf(words), style && styled(`pages/${style}`)])
    ready ??= ({ place }) => module.page({ place, words: spoken })
    return ready
  }
  return { path, section, load }
}
