/**
 * Which modules a page will need, so that its document can name them all: they come in one round then, and not one after
 * the other. It reads the texts of modules as they are served, and knows neither files nor HTTP.
 */
import { posix } from 'node:path'

type Texts = ReadonlyMap<string, string>

/** An address in a table of pages, such as `/console/terminals/:terminal`, and the modules that its page begins with. */
export type Address = { readonly path: string; readonly modules: readonly string[] }

/** A document with a `modulepreload` for all that its scripts need, then for what `beside` needs. */
export function withPreloads(page: string, texts: Texts, beside: readonly string[] = []): string {
  const scripts = [...page.matchAll(/<script type="module" src="([^"]+)"/g)].map(([, path = '']) => path)
  const needed = new Set([...scripts, ...beside].flatMap((path) => neededBy(path, texts)))
  const links = [...needed].map((path) => `<link rel="modulepreload" href="${path}">`)
  return page.replace('<!-- modulepreload -->', links.join('\n    '))
}

/**
 * The addresses of a table such as `console/web/console/pages.ts`, in its order. Words are not among their modules: in
 * which language they are wanted only the browser knows.
 */
export function addressesIn(table: string, texts: Texts): Address[] {
  const [, ...routes] = (texts.get(table) ?? '').split(/\broute\('/)
  return routes.map((route) => {
    const [path = ''] = route.split("'", 1)
    const [, page = ''] = /\bpage: \(\) => import\('([^']+)'\)/.exec(route) ?? []
    return { path, modules: [posix.resolve(posix.dirname(table), page)] }
  })
}

function neededBy(path: string, texts: Texts): string[] {
  const needed = new Set([path])
  for (const one of needed) for (const name of importsIn(texts.get(one) ?? '', one)) needed.add(name)
  return [...needed]
}

function importsIn(code: string, path: string): string[] {
  return [...code.matchAll(/\b(?:from|import)\s*['"]([./][^'"]*)['"]/g)].map(([, name = '']) =>
    posix.resolve(posix.dirname(path), name),
  )
}
