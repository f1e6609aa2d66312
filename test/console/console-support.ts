/** The console in a real browser: a server with credentials or in demo mode, and pages that must end without a fault. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { type Scope, type ServeOptions, type Server, serve } from '../process/support.ts'
import { openPage } from './browser.ts'

export const phone = { width: 390, height: 844 }

/** A directory that goes at the end. */
export function directoryFor(scope: Scope): string {
  const directory = mkdtempSync(join(tmpdir(), 'cashpoint-console-'))
  scope.after(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

/** `breaks`: the server goes away on purpose, which Chromium counts as errors. */
export type How = BrowserContextOptions & { readonly breaks?: boolean }

/** A page of the console, which must end without an error and without a request to anybody else. */
export async function openConsole(
  scope: Scope,
  browser: Browser,
  url: string,
  { breaks = false, ...how }: How = {},
): Promise<Page> {
  const { page, errors, outside, close } = await openPage(browser, url, how)
  scope.after(async () => {
    await close()
    const wrong = errors.filter((text) => !breaks || !/net::ERR_|status of 5\d\d/.test(text))
    assert.deepEqual(wrong, [])
    assert.deepEqual(outside, [])
  })
  return page
}

/** The page is there, under this heading, and nothing in it is being read any more. */
export async function settled(page: Page, heading: string | RegExp): Promise<void> {
  await page.getByRole('heading', { level: 1, name: heading }).waitFor()
  await page.locator('.loading').first().waitFor({ state: 'detached' })
}

/** Asks the page again and again, until it says this. */
export async function until(page: Page, expression: string, wanted: unknown): Promise<void> {
  const untilMs = performance.now() + 10_000
  for (;;) {
    const found = await page.evaluate(expression)
    if (found === wanted) return
    assert(performance.now() < untilMs, `${expression} is ${found}, not ${wanted}`)
    await page.waitForTimeout(20)
  }
}

export type Keys = Readonly<Record<'admin' | 'operator' | 'teller', string>>

/** A server that is not in demo mode, with a key of each role. */
export async function serveWithKeys(scope: Scope, path: string): Promise<Server & { readonly keys: Keys }> {
  const server = await serve(scope, { path })
  const make = async (role: string, name: string, by?: string) => {
    const made = await post(server.url, '/v1/credentials', { role, name }, by)
    return String(made['key'])
  }
  const admin = await make('admin', 'ada')
  const [operator, teller] = [await make('operator', 'olga', admin), await make('teller', 'tim', admin)]
  return { ...server, keys: { admin, operator, teller } }
}

let lastKey = 0

export async function post(
  url: string,
  path: string,
  body: object,
  key?: string,
): Promise<Record<string, unknown>> {
  lastKey += 1
  const response = await fetch(url + path, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'idempotency-key': `test-${lastKey}`,
      ...(key !== undefined && { authorization: `Bearer ${key}` }),
    },
    body: JSON.stringify(body),
  })
  const text = await response.text()
  assert(response.ok, `${path}: ${text}`)
  return JSON.parse(text)
}

/** An address that stays while the server behind it is another: restarted, it has another port. */
export async function standIn(scope: Scope, options: ServeOptions) {
  let server: Server | undefined = await serve(scope, options)
  const open = new Set<Socket>()
  const door = createServer((socket) => {
    if (server === undefined) return void socket.destroy()
    const behind = connect(server.port, 'localhost')
    for (const [one, other] of [
      [socket, behind],
      [behind, socket],
    ] as const) {
      open.add(one)
      one.pipe(other)
      one.on('error', () => other.destroy())
      one.on('close', () => {
        open.delete(one)
        other.destroy()
      })
    }
  })
  await new Promise<void>((resolve) => door.listen(0, 'localhost', resolve))
  scope.after(() => {
    for (const socket of open) socket.destroy()
    door.close()
  })
  return {
    url: `http://localhost:${(door.address() as AddressInfo).port}`,
    async stop() {
      await server?.stop()
      server = undefined
    },
    async start() {
      server = await serve(scope, options)
    },
  }
}
