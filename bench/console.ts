/**
 * `npm run bench -- --console`: how long a browser that has nothing yet takes from the console's address to its first
 * figures, on a ledger of a million operations; beside the same page of a server whose ledger is new.
 */
import assert from 'node:assert'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Browser } from 'playwright-core'
import { openBrowser } from '../test/console/browser.ts'
import { cycle, setUp, withdrawals } from './atm.ts'
import { accountCount } from './cells.ts'
import { type ServerProcess, startServer } from './children.ts'
import { rate } from './client.ts'
import { spread, table, two, whole } from './figures.ts'
import { fill, storePath } from './fill.ts'

export type ConsoleOptions = {
  readonly rounds: number
  readonly operations: number
  readonly terminals: number
}

/** Milliseconds, by what was seen. */
export type ConsoleFigures = Readonly<Record<'full' | 'empty', Record<Seen, number[]>>>

type Seen = 'first' | 'figures' | 'again'

const targetMs = 300
// So much of the ledger is withdrawals at machines, of three operations each; the rest is plain ones.
const atMachines = 0.1
const clients = 64
const sliceSeconds = 5
// Nobody opens a browser sooner after a start.
const settledMs = 2_000

export async function measureConsole(directory: string, options: ConsoleOptions): Promise<ConsoleFigures> {
  const browser = await openBrowser()
  assert(browser !== undefined, 'there is a browser')
  const places = { full: join(directory, 'full'), empty: join(directory, 'empty') }
  for (const place of Object.values(places)) mkdirSync(place)
  await prepare(places.full, options)

  const figures = { full: newTimes(), empty: newTimes() }
  for (let round = 0; round < options.rounds; round += 1)
    for (const name of ['full', 'empty'] as const) {
      // Started anew, as after an update: nothing of the console is in its memory, nor is what it knows of seven days.
      const server = await startServer('server.ts', [storePath(places[name])])
      await sleep(settledMs)
      await look(browser, server, figures[name])
      await server.stop()
      console.log(
        `${name.padEnd(6)} ${Object.values(figures[name])
          .map((times) => whole(times.at(-1) ?? 0))
          .join('  ')} ms`,
      )
    }
  await browser.close()
  return figures
}

export function consoleReport(
  { full, empty }: ConsoleFigures,
  { operations, terminals }: ConsoleOptions,
): string {
  const rows: [Seen, string][] = [
    ['first', 'the first one since the server was started'],
    ['figures', 'a later one, in a browser that has nothing yet'],
    ['again', 'loaded again in that browser'],
  ]
  const ratios = (seen: Seen) => full[seen].map((ms, i) => ms / (empty[seen][i] ?? 1))
  return `A ledger of ${whole(operations)} operations at ${whole(terminals)} machines, beside a new one, each server started anew in every round. Milliseconds from the address to the moment at which the four numbers of the overview are painted, in Chromium on the same machine; medians (min–max). Target: below ${targetMs}.

${table(
  ['view of /console', 'full', 'new', 'full / new'],
  rows.map(([seen, what]) => [
    what,
    spread(full[seen], whole),
    spread(empty[seen], whole),
    spread(ratios(seen), two),
  ]),
)}
`
}

function newTimes(): Record<Seen, number[]> {
  return { first: [], figures: [], again: [] }
}

async function prepare(
  directory: string,
  { operations, terminals }: { operations: number; terminals: number },
): Promise<void> {
  // A withdrawal with a key is two records, and every other one has a key.
  await fill(directory, { accounts: accountCount, records: Math.ceil(operations * (1 - atMachines) * 1.5) })
  const server = await startServer('server.ts', [storePath(directory)])
  await setUp(server, terminals)
  const run = withdrawals(terminals, cycle)
  for (let left = operations * atMachines; left > 0; )
    left -= 3 * sliceSeconds * (await rate(server, clients, sliceSeconds, run))
  await server.stop()
}

/** A browser that has nothing is a new context; the second view in it has the files, and asks for data alone. */
async function look(browser: Browser, server: ServerProcess, times: Record<Seen, number[]>): Promise<void> {
  for (const views of [['first'], ['figures', 'again']] as const) {
    const context = await browser.newContext({ locale: 'en-US', viewport: { width: 1280, height: 720 } })
    const page = await context.newPage()
    await page.addInitScript(watchForFigures)
    for (const seen of views) {
      await page.goto(`${server.url}/console`)
      times[seen].push(await page.evaluate(() => (globalThis as unknown as Watching).figuresSeenMs))
    }
    await context.close()
  }
}

type Watching = { figuresSeenMs: Promise<number> }

/** Runs in the page, before anything of its own: resolves when the frame with the figures has been painted. */
function watchForFigures(): void {
  const { document, MutationObserver, requestAnimationFrame } = globalThis as unknown as Dom
  Object.assign(globalThis, {
    figuresSeenMs: new Promise((resolve) => {
      const observer = new MutationObserver(() => {
        if (document.querySelector('.numbers') === null) return
        observer.disconnect()
        requestAnimationFrame(() => setTimeout(() => resolve(performance.now())))
      })
      observer.observe(document, { childList: true, subtree: true })
    }),
  })
}

/** What of a browser is needed there: the bench is checked without its types. */
type Dom = {
  readonly document: { querySelector(selector: string): object | null }
  readonly MutationObserver: new (
    then: () => void,
  ) => {
    observe(what: object, how: object): void
    disconnect(): void
  }
  requestAnimationFrame(then: () => void): void
}
