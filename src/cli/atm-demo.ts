/** `cashpoint atm --demo`: a temporary host and a few machines on it, a line for each thing that happens, and the judgement. */
import pino from 'pino'
import type { Odds } from '../simulator/faults.ts'
import { fleet } from '../simulator/fleet.ts'
import { report } from '../simulator/report.ts'
import { start } from './serve.ts'
import { readSettings } from './settings.ts'

export type DemoOptions = {
  readonly machines: number
  readonly seconds: number
  readonly seed: number
  readonly odds: Odds
}

const sameSignalMs = 250

export async function demo({ machines, seconds, seed, odds }: DemoOptions): Promise<void> {
  const server = await start(
    readSettings(['--store', 'temp', '--port', '0', '--iso8583', 'iso87a://localhost:0'], {}),
    pino({ level: 'silent' }),
  )
  const { url, iso8583 } = server
  const [isoHost = '', isoPort = ''] = (iso8583[0] ?? '').split(':')
  const until = Number.isFinite(seconds) ? `for ${seconds} s` : 'until Ctrl-C'
  console.log(`A host in a temporary store at ${url}, ${machines} machines on it, ${until}.`)
  console.log(`Every other machine speaks ISO 8583, at ${iso8583[0]}.\n`)
  try {
    const verdict = await fleet({
      url: new URL(url),
      iso8583: { host: isoHost, port: Number(isoPort) },
      machines,
      cards: 2 * machines,
      seconds,
      seed,
      odds,
      patienceMs: 1_000,
      deadMaxMs: 4_000,
      thinkMs: 1_500,
      signal: untilSignal(),
      tell: (terminal, words) => console.log(`${timeNow()}  ${terminal}  ${words}`),
      onPhase: (phase) =>
        console.log(
          phase === 'open'
            ? ''
            : '\nThe last customer has gone: all is told, closed, counted and held against the books.\n',
        ),
    })
    console.log(report(verdict, seed))
    if (verdict.findings.length > 0) process.exitCode = 1
  } finally {
    await server.stop()
  }
}

/** Ends the demo in order at the first Ctrl-C, and at once at the second. */
function untilSignal(): AbortSignal {
  const ending = new AbortController()
  let since: number | undefined
  process.on('SIGINT', () => {
    // Ctrl-C under npm arrives twice, from the terminal and from npm: that is one.
    if (since !== undefined && performance.now() - since > sameSignalMs) process.exit(1)
    since ??= performance.now()
    ending.abort()
  })
  return ending.signal
}

function timeNow(): string {
  return new Date().toISOString().slice(11, 19)
}
