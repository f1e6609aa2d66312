/** Asks for what the address wants, and for the words, while most of the shell is still on its way. */
import { pages } from './pages.ts'
import { findRoute, here } from './router.ts'

// Should it not come, `main.ts` says so.
import('./words.ts').catch(() => {})
findRoute(pages, here())
  ?.route.load()
  .catch(() => {})
