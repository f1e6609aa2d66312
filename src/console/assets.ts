/**
 * The pages' files as browsers get them: modules without types and comments but with every line where it was written,
 * names of packages pointed at `/vendor/`, all of it in memory, plain and gzipped. Nothing is bundled and nothing is
 * built beforehand. It knows no HTTP.
 */
import assert from 'node:assert'
import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { extname, join, posix, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { Worker } from 'node:worker_threads'
import { gzip } from 'node:zlib'
import { addressesIn, withPreloads } from './preloads.ts'

export type Asset = {
  readonly type: string
  readonly bytes: Buffer
  readonly gzipped: Buffer
  readonly etag: string
}

export type Assets = {
  /** By path, such as `/web/console/web/main.ts`: below `/web` it is the path in src. */
  readonly files: ReadonlyMap<string, Asset>
  /**
   * Stands behind `/web/` and `/vendor/` in whatever names a file, such as `@7fQ2…`: another one whenever any of them
   * is another, so that what was once had under it need never be asked for again.
   */
  readonly version: string
  /** The console's document for an address below `/console`: they differ in the modules that they name beforehand. */
  consoleAt(path: string): Asset
}

const src = join(import.meta.dirname, '..')
const folders = ['console/web', 'client']
const consolePage = '/web/console/web/console/console.html'
const consoleTable = '/web/console/web/console/pages.ts'
const types: Readonly<Record<string, string>> = {
  '.ts': 'text/javascript; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.html': 'text/html; charset=utf-8',
}

/** What is served of packages, by the names under which pages import it, each with the file that is meant. */
const vendors: Readonly<Record<string, string>> = {
  preact: 'preact',
  'preact/hooks': 'preact/hooks',
  htm: 'htm',
  uplot: 'uplot/dist/uPlot.iife.min.js',
  'uplot.css': 'uplot/dist/uPlot.min.css',
}

/** Of those that are no modules: what makes them one. uPlot's own module is not minified, and twice as heavy. */
const asModules: Readonly<Record<string, string>> = { uplot: '\nexport default uPlot\n' }

/** Reads and prepares everything; some 100 ms, nearly all of it in a thread of its own. */
export async function loadAssets(): Promise<Assets> {
  const texts = new Map([...(await readSources()), ...(await readVendors())])
  const version = `@${hashOf([...texts].flat().join('\n')).slice(0, 8)}`
  const packed = (path: string, text: string) => pack(path, withVersion(text, version))
  const files = [...texts].map(async ([path, text]) => {
    const whole = path.endsWith('.html') ? withPreloads(text, texts) : text
    return [path, await packed(path, whole)] as const
  })
  const consoles = addressesIn(consoleTable, texts).map(async ({ path, modules }) => ({
    pattern: new RegExp(`^${path.replace(/:[a-z]+/g, '[^/]+')}/*$`),
    asset: await packed(consolePage, withPreloads(texts.get(consolePage) ?? '', texts, modules)),
  }))
  return assetsOf(version, new Map(await Promise.all(files)), await Promise.all(consoles))
}

type ConsoleAt = { readonly pattern: RegExp; readonly asset: Asset }

function assetsOf(
  version: string,
  files: ReadonlyMap<string, Asset>,
  consoles: readonly ConsoleAt[],
): Assets {
  const anywhere = files.get(consolePage)
  assert(anywhere !== undefined, `${consolePage} is among the files`)
  return {
    files,
    version,
    consoleAt: (path) => consoles.find(({ pattern }) => pattern.test(path))?.asset ?? anywhere,
  }
}

function withVersion(text: string, version: string): string {
  return text.replace(/(['"]\/(?:web|vendor)\/)/g, `$1${version}/`)
}

async function readSources(): Promise<[string, string][]> {
  const found: [string, string][] = []
  for (const folder of folders)
    for (const name of await readdir(join(src, folder), { recursive: true })) {
      const path = posix.join('/web', folder, name.split(sep).join('/'))
      if (types[extname(path)] !== undefined)
        found.push([path, await readFile(join(src, folder, name), 'utf8')])
    }
  const typed = found.filter(([path]) => path.endsWith('.ts'))
  const stripped = await strip(typed.map(([, text]) => text))
  for (const [i, entry] of typed.entries()) entry[1] = withVendors(stripped[i] ?? '')
  return found.map(([path, text]) => [path, withoutComments(text)])
}

function readVendors(): Promise<[string, string][]> {
  return Promise.all(
    Object.entries(vendors).map(async ([name, specifier]) => {
      const text = await readFile(fileURLToPath(import.meta.resolve(specifier)), 'utf8')
      const code = withVendors(text.replace(/\n\/\/# sourceMappingURL=.*/, ''))
      return [vendorPath(name), code + (asModules[name] ?? '')]
    }),
  )
}

function vendorPath(name: string): string {
  return `/vendor/${extname(name) === '' ? `${name}.js` : name}`
}

/** The pages' policy allows no import map, so bare names become paths. */
function withVendors(code: string): string {
  return code.replace(/(\bfrom\s*)(['"])([a-z][^'"]*)\2/g, (whole, from, quote, name) =>
    vendors[name] === undefined ? whole : `${from}${quote}${vendorPath(name)}${quote}`,
  )
}

/**
 * A fifth of what a page weighs are words for whoever reads its source, and blanks. Whole lines are emptied alone:
 * within one, the same signs may be text. The lines of a text in several begin without blanks, which HTML does not show.
 */
function withoutComments(text: string): string {
  return text
    .replace(/^ *\/\*(?:(?!\*\/)[\s\S])*\*\/$/gm, (comment) => comment.replace(/[^\n]/g, ''))
    .replace(/^ *\/\/.*$/gm, '')
    .replace(/^ +/gm, '')
}

function strip(sources: readonly string[]): Promise<string[]> {
  // `new URL` beside it, as with the stores' threads. What Node warns of is that the function may still change.
  const thread = new Worker(new URL('./stripper.ts', import.meta.url), {
    workerData: sources,
    execArgv: ['--disable-warning=ExperimentalWarning'],
  })
  return new Promise((resolve, reject) => {
    thread.once('message', resolve)
    thread.once('error', reject)
    thread.once('exit', () => reject(new Error('the stripper of types ended without an answer')))
  })
}

async function pack(path: string, text: string): Promise<Asset> {
  const bytes = Buffer.from(text)
  return {
    type: types[extname(path)] ?? 'application/octet-stream',
    bytes,
    gzipped: await promisify(gzip)(bytes, { level: 9 }),
    // Weak, as it is one for the bytes and for what gzip made of them.
    etag: `W/"${hashOf(text)}"`,
  }
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('base64url').slice(0, 22)
}
