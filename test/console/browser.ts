/** A real browser for tests: the Chromium that comes with a package, or a Chrome that the machine has. */
import chromium from '@sparticuz/chromium'
import { type Browser, type BrowserContextOptions, chromium as driver, type Page } from 'playwright-core'

/** Undefined where there is none, which is no reason for a test to fail. */
export async function openBrowser(): Promise<Browser | undefined> {
  // Also as root, as tests in containers run; what is opened is our own page.
  const args = ['--no-sandbox', '--headless=shell', '--no-zygote']
  const packaged = process.platform === 'linux' && process.arch === 'x64'
  try {
    if (packaged) return await driver.launch({ executablePath: await chromium.executablePath(), args })
    return await driver.launch({ channel: 'chrome' })
  } catch (error) {
    if (packaged) throw error
    return undefined
  }
}

export type Seen = {
  readonly page: Page
  /** What the console was told, refusals of the server aside, which Chromium counts as errors. */
  readonly errors: readonly string[]
  /** Requests that went to anybody else. */
  readonly outside: readonly string[]
  close(): Promise<void>
}

/** A page of its own, as somebody sees it who opens it for the first time; with nothing moving, unless told otherwise. */
export async function openPage(
  browser: Browser,
  url: string,
  how: BrowserContextOptions = {},
): Promise<Seen> {
  const context = await browser.newContext({
    viewport: { width: 1280, height: 720 },
    locale: 'en-US',
    reducedMotion: 'reduce',
    ...how,
  })
  const page = await context.newPage()
  page.setDefaultTimeout(20_000)
  const errors: string[] = []
  const outside: string[] = []
  page.on('pageerror', (error) => errors.push(error.message))
  page.on('console', (message) => {
    if (message.type() !== 'error' && message.type() !== 'warning') return
    if (!/the server responded with a status of 4/.test(message.text())) errors.push(message.text())
  })
  const { origin } = new URL(url)
  page.on('request', (request) => {
    if (new URL(request.url()).origin !== origin) outside.push(request.url())
  })
  await page.goto(url)
  return { page, errors, outside, close: () => context.close() }
}
