/** Asks for what the address wants, for the words, and for who is there, while most of the shell is still on its way. */
import { pages } from './pages.ts'
import { findRoute, here } from './router.ts'
import './session.ts'

// Should it not come, `main.ts` says so.
findRoute(pages, here())
  ?.route.load()
  .catch(() => {})
