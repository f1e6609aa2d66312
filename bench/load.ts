/** The load generators: wrk where it is installed, else autocannon. They know requests, and not what is measured. */
import { spawn, spawnSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { accountNumber, firstNumber } from './accounts.ts'

/** What one cell asks for, again and again. */
export type Requests = {
  readonly method: 'GET' | 'POST'
  /** What stands behind `/accounts/{number}/`. */
  readonly action: string
  /** How many accounts they are spread over, at random. */
  readonly accounts: number
  /** The share with a fresh Idempotency-Key: 0 none, 1 all. */
  readonly keyed: number
  /** In place of `action`: transfers of one cent between two of the accounts, to `/v1/transfers`. */
  readonly pairs?: true
}

export type Load = {
  readonly url: string
  readonly connections: number
  readonly seconds: number
  readonly requests: Requests
  /** Requests a second at the most, of all connections; autocannon alone can. */
  readonly rate?: number
}

export type Measured = {
  readonly requests: number
  readonly seconds: number
  /** Replies other than 2xx, broken connections and timeouts. */
  readonly errors: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly p999Ms: number
}

/** Load that is under way. Stopped early, it still says what it measured. */
export type Running = { readonly measured: Promise<Measured>; stop(): void }

export type Generator = { readonly name: string; start(load: Load): Running }

export const body = '{"amount":1.00}'
const timeoutSeconds = 10
// It adds samples for the requests a stalled connection could have sent, to every percentile, in every cell alike.
const wrkCaveat = 'its percentiles are corrected for coordinated omission'

export function findGenerator(wanted?: string): Generator {
  if (wanted !== 'autocannon') {
    const { stdout, error } = spawnSync('wrk', ['-v'], { encoding: 'utf8' })
    if (error === undefined)
      return { name: `${stdout.split(' Copyright')[0]}, 1 thread; ${wrkCaveat}`, start: startWrk }
    if (wanted === 'wrk') throw new Error('wrk is not on PATH')
  }
  const { version } = require('autocannon/package.json') as { version: string }
  return { name: `autocannon ${version}`, start: startAutocannon }
}

const require = createRequire(import.meta.url)

// Unique keys and other accounts in every run of a generator.
let runs = 0

function startWrk({ url, connections, seconds, requests }: Load): Running {
  runs += 1
  const { method, action, accounts, keyed, pairs } = requests
  const script = fileURLToPath(new URL('load.lua', import.meta.url))
  const child = spawn(
    'wrk',
    ['-t1', `-c${connections}`, `-d${seconds}s`, `--timeout=${timeoutSeconds}s`, `-s${script}`, url],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
      timeout: (seconds + 60) * 1000,
      killSignal: 'SIGKILL',
      env: {
        ...process.env,
        METHOD: method,
        ACTION: action,
        ACCOUNTS: String(accounts),
        FIRST: String(firstNumber),
        KEYED: String(keyed),
        PAIRS: pairs ? '1' : '',
        RUN: String(runs),
        BODY: method === 'POST' ? body : '',
      },
    },
  )
  process.once('exit', kill)
  const measured = new Promise<Measured>((resolve, reject) => {
    let output = ''
    child.stdout.on('data', (data) => {
      output += data
    })
    child.on('error', reject)
    child.on('close', (code) => {
      process.off('exit', kill)
      const figures = output.split('\n').find((line) => line.startsWith('{'))
      if (figures === undefined) reject(new Error(`wrk ended with ${code} and no figures:\n${output}`))
      else resolve(JSON.parse(figures))
    })
  })
  return { measured, stop: () => child.kill('SIGINT') }

  function kill() {
    child.kill('SIGKILL')
  }
}

type Autocannon = (
  options: object,
  done: (error: Error | null, result: AutocannonResult) => void,
) => AutocannonRun
type AutocannonRun = {
  on(
    event: 'response',
    listener: (client: unknown, status: number, bytes: number, ms: number) => void,
  ): unknown
  stop(): void
}
type AutocannonResult = Record<'2xx' | 'non2xx' | 'errors' | 'timeouts' | 'duration', number>

function startAutocannon({ url, connections, seconds, requests, rate }: Load): Running {
  const autocannon = require('autocannon') as Autocannon
  const { method, action, accounts, keyed, pairs } = requests
  // Its own histogram counts whole milliseconds.
  const latenciesMs: number[] = []
  let running: AutocannonRun | undefined
  const measured = new Promise<Measured>((resolve, reject) => {
    running = autocannon(
      {
        url,
        connections,
        duration: seconds,
        ...(rate && { overallRate: rate }),
        timeout: timeoutSeconds,
        sampleInt: 100,
        method,
        ...(method === 'POST' && { body }),
        requests: [{ setupRequest }],
      },
      (error, result) => {
        if (error !== null) return reject(error)
        const { '2xx': answered, non2xx, errors, timeouts, duration } = result
        const at = percentiles(latenciesMs)
        resolve({
          requests: answered + non2xx,
          seconds: duration,
          errors: non2xx + errors + timeouts,
          p50Ms: at(50),
          p99Ms: at(99),
          p999Ms: at(99.9),
        })
      },
    )
    running.on('response', (_client, _status, _bytes, ms) => latenciesMs.push(ms))
  })
  return { measured, stop: () => running?.stop() }

  function setupRequest(request: object): object {
    const first = Math.floor(Math.random() * accounts)
    const path = pairs ? '/v1/transfers' : `/accounts/${accountNumber(first)}/${action}`
    const headers: Record<string, string> = method === 'POST' ? { 'content-type': 'application/json' } : {}
    if (Math.random() < keyed) headers['idempotency-key'] = randomUUID()
    if (!pairs) return { ...request, path, headers }
    const second = (first + 1 + Math.floor(Math.random() * (accounts - 1))) % accounts
    const sides = { from: accountNumber(first), to: accountNumber(second) }
    return { ...request, path, headers, body: JSON.stringify({ ...sides, amount: 1, currency: 'USD' }) }
  }
}

function percentiles(values: readonly number[]): (percent: number) => number {
  const sorted = Float64Array.from(values).sort()
  return (percent) => sorted[Math.min(sorted.length - 1, Math.floor((sorted.length * percent) / 100))] ?? 0
}
