/** The real process, started as an operator starts it, over real files; and ways to ask it, stop it and kill it. */
import assert from 'node:assert/strict'
import { type ChildProcess, type ChildProcessByStdio, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import pino from 'pino'
import { StoreError } from '../../src/bank/store.ts'
import { readSettings, SettingError } from '../../src/cli/settings.ts'
import { prove } from '../../src/stores/sqlite/prove.ts'
import { assertNoSecrets, assertNoSecretsIn } from '../support/card-secrets.ts'
import { times } from '../support/profile.ts'

/** A test, or a file of tests, at whose end what was started is ended. */
export type Scope = { after(then: () => Promise<void> | void): void }

export type Exit = { readonly code: number | null; readonly signal: NodeJS.Signals | null }

export type Server = {
  readonly url: string
  readonly port: number
  readonly pid: number
  /** From its start to the URL on stdout. Milliseconds. */
  readonly readyMs: number
  /** What it wrote to stderr, line by line. */
  readonly log: readonly string[]
  readonly process: ChildProcess
  readonly exit: Promise<Exit>
  /** SIGTERM, and what became of it. */
  stop(): Promise<Exit>
  /** SIGKILL. */
  kill(): Promise<Exit>
}

export type ServeOptions = {
  /** The store's file, or the URL of a database. */
  readonly path: string
  readonly env?: Readonly<Record<string, string>>
  /** In place of the launcher: a script that ends in running the program. */
  readonly entry?: string
  /** What is put before the command, such as a shell that sets a limit. */
  readonly under?: readonly string[]
}

export const launcher = join(import.meta.dirname, '..', '..', 'packaging', 'launch.cjs')
const readyMaxMs = 20_000

/** Starts a server on a port of its own, and waits until it says its URL. Throws what it says where it does not. */
export async function serve(scope: Scope, options: ServeOptions): Promise<Server> {
  const startedMs = performance.now()
  const { child, log, exit } = launch(scope, options)
  const timer = setTimeout(() => child.kill('SIGKILL'), readyMaxMs)
  let url: string | undefined
  for await (const line of createInterface({ input: child.stdout })) {
    url = /^ +URL +(\S+)$/.exec(line)?.[1]
    if (url !== undefined) break
  }
  clearTimeout(timer)
  const readyMs = performance.now() - startedMs
  if (url === undefined) {
    const { code, signal } = await exit
    assert.fail(`the server ended (${code ?? signal}) before it was ready:\n${log.join('\n')}`)
  }
  child.stdout.resume()
  const end = (signal: NodeJS.Signals) => {
    child.kill(signal)
    return exit
  }
  return {
    url,
    port: Number(new URL(url).port),
    pid: child.pid ?? assert.fail('a process that runs has a pid'),
    readyMs,
    log,
    process: child,
    exit,
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
  }
}

export type Launched = {
  readonly child: ChildProcessByStdio<null, Readable, Readable>
  readonly log: readonly string[]
  readonly exit: Promise<Exit>
}

/** Starts a server without waiting for it. */
export function launch(
  scope: Scope,
  { path, env = {}, entry = launcher, under = [] }: ServeOptions,
): Launched {
  assert.ok(!late, `a file of tests takes less than ${fileMaxMs} ms`)
  const [command = '', ...args] = [...under, process.execPath, entry]
  const store = path.startsWith('postgres:') ? path : `sqlite:${path}`
  const child = spawn(command, [...args, 'serve', '--store', store, '--port', '0'], {
    stdio: entry === launcher ? ['ignore', 'pipe', 'pipe'] : ['ignore', 'pipe', 'pipe', 'ipc'],
    env: cleanEnv({ CASHPOINT_LOG_LEVEL: 'warn', ...env }),
  }) as ChildProcessByStdio<null, Readable, Readable>
  const log: string[] = []
  createInterface({ input: child.stderr }).on('line', (line) => log.push(line))
  // 'close' rather than 'exit': by then all of stderr has been read.
  const exit = once(child, 'close').then(([code, signal]) => ({ code, signal }))
  running.add(child)
  scope.after(async () => {
    child.kill('SIGKILL')
    await exit
    running.delete(child)
    assertNoSecrets('a log', log.join('\n'))
  })
  return { child, log, exit }
}

const running = new Set<ChildProcess>()

function killAll(): void {
  for (const child of running) child.kill('SIGKILL')
}

// Also where the tests themselves are stopped; and a server that hangs makes them fail, not hang.
const fileMaxMs = times(150_000, 1_200_000)
let late = false
process.on('exit', killAll)
setTimeout(() => {
  late = true
  killAll()
}, fileMaxMs).unref()

/** The program's server in this very process, without its log: where a start matters, and not the process. */
export async function serveHere(path: string, env: Readonly<Record<string, string>> = {}) {
  // Here, since most files of tests never load the program.
  const { start } = await import('../../src/cli/serve.ts')
  return start(
    readSettings(['--store', `sqlite:${path}`, '--port', '0'], { CASHPOINT_ISO8583: 'off', ...env }),
    pino({ level: 'silent' }),
  )
}

export type Ran = { readonly code: number | null; readonly stdout: string; readonly stderr: string }

/** Runs `cashpoint …` to its end, with this on its standard input. */
export async function run(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  input = '',
): Promise<Ran> {
  const child = spawn(process.execPath, [launcher, ...args], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: cleanEnv(env),
    timeout: 10_000,
  })
  // Most commands end without reading any of it.
  child.stdin.on('error', () => {})
  child.stdin.end(input)
  const [stdout, stderr, [code]] = await Promise.all([
    child.stdout.setEncoding('utf8').toArray(),
    child.stderr.setEncoding('utf8').toArray(),
    once(child, 'close'),
  ])
  return { code, stdout: stdout.join(''), stderr: stderr.join('') }
}

/** `cashpoint verify` on a store's file. */
export function verify(path: string): Promise<Ran> {
  return run(['verify', '--store', `sqlite:${path}`])
}

/** That `cashpoint verify` proves the books of a store. */
export async function assertProves(path: string): Promise<void> {
  const { code, stdout, stderr } = await verify(path)
  assert.deepEqual({ code, stderr }, { code: 0, stderr: '' })
  assert.match(stdout, /^The books prove: /)
}

/** As `assertProves`, without a process of its own. */
export function assertProvesHere(path: string): void {
  const found = prove(path)
  if ('what' in found) assert.fail(`block ${found.block}, record ${found.record}: ${found.what}`)
}

/** That a command ended with this code and one line for the operator, which says this. */
export function assertOneLine({ code, stdout, stderr }: Ran, exit: number, says: RegExp): void {
  assert.match(stderr, /^cashpoint: .*\n$/, 'one line, no stack')
  assert.match(stderr, says)
  assert.deepEqual({ code, stdout }, { code: exit, stdout: '' })
}

/** Whether an error is what `assertOneLine` asks of a process that ends with code 2: one line for the operator. */
export function saysInOneLine(says: RegExp): (error: unknown) => boolean {
  return (error) => error instanceof SettingError && isOneLine(error.message, says)
}

/** Whether an error is what a command says of its store in one line, before it ends with code 1. */
export function isUnusable(says: RegExp): (error: unknown) => boolean {
  return (error) => error instanceof StoreError && error.code === 'unusable' && isOneLine(error.message, says)
}

function isOneLine(message: string, says: RegExp): boolean {
  return !message.includes('\n') && says.test(message)
}

/** This process's environment, without what would change the settings of a server. */
export function cleanEnv(env: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(CASHPOINT_.*|PORT|HOST|NODE_TEST_CONTEXT)$/.test(name),
  )
  // A hundred processes are started here: stripping their types once takes half off each start.
  const cache = join(tmpdir(), 'cashpoint-compile-cache')
  // Many run at once, and the demo's port for ISO 8583 is one.
  const more = { NODE_COMPILE_CACHE: cache, CASHPOINT_ISO8583: 'off' }
  return { ...more, ...Object.fromEntries(kept), ...env }
}

/** A directory of its own that goes at the end; the store's file in it. */
export function place(scope: Scope): { readonly directory: string; readonly path: string } {
  const directory = mkdtempSync(join(tmpdir(), 'cashpoint-process-'))
  scope.after(() => {
    try {
      assertNoSecretsIn(directory)
    } finally {
      rmSync(directory, { recursive: true, force: true })
    }
  })
  return { directory, path: join(directory, 'cashpoint.db') }
}

export type Answer = {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: string
}

type Sent = { readonly method?: string; readonly body?: string; readonly headers?: Record<string, string> }

/** A client with connections that stay open, and no retries: what was not answered is told as such. */
export class Client {
  readonly #agent = new Agent({ keepAlive: true })
  readonly #port: number
  readonly #host: string

  constructor({ port }: { readonly port: number }, host = '127.0.0.1') {
    this.#port = port
    this.#host = host
  }

  /** The whole answer, or undefined where the connection failed or ended before there was one. */
  call(path: string, { method = 'GET', body, headers = {} }: Sent = {}): Promise<Answer | undefined> {
    return new Promise((resolve) => {
      const typed = body === undefined ? headers : { 'content-type': 'application/json', ...headers }
      const options = { host: this.#host, port: this.#port, path, method, headers: typed, agent: this.#agent }
      const sent = request(options, (response) => {
        response
          .setEncoding('utf8')
          .toArray()
          .then(
            (parts) =>
              resolve(
                response.complete
                  ? { status: response.statusCode ?? 0, headers: response.headers, body: parts.join('') }
                  : undefined,
              ),
            () => resolve(undefined),
          )
      })
      sent.on('error', () => resolve(undefined))
      sent.end(body)
    })
  }

  /** As `call`, where there must be an answer. */
  async ask(path: string, sent?: Sent): Promise<Answer> {
    return (await this.call(path, sent)) ?? assert.fail(`${path} was not answered`)
  }

  post(path: string, body: string, headers: Record<string, string> = {}): Promise<Answer | undefined> {
    return this.call(path, { method: 'POST', body, headers })
  }

  /** Amounts in minor units. */
  withdraw(account: string, minor: number, key?: string): Promise<Answer | undefined> {
    return this.post(`/accounts/${account}/withdraw`, amountOf(minor), keyHeader(key))
  }

  deposit(account: string, minor: number, key?: string): Promise<Answer | undefined> {
    return this.post(`/accounts/${account}/deposit`, amountOf(minor), keyHeader(key))
  }

  /** In minor units; undefined where there is no such account. */
  async balance(account: string): Promise<number | undefined> {
    const { status, body } = await this.ask(`/accounts/${account}/balance?simple=true`)
    assert.ok(status === 200 || status === 404, `${status} ${body}`)
    return status === 200 ? minorOf(body) : undefined
  }

  /** All accounts, as the list tells them, in minor units. */
  async balances(): Promise<Map<string, number>> {
    const { body } = await this.ask('/accounts')
    const rows = body.matchAll(/\{"account_number":"([^"]+)","balance":([0-9.]+)\}/g)
    return new Map([...rows].map(([, number = '', balance = '']) => [number, minorOf(balance)]))
  }

  close(): void {
    this.#agent.destroy()
  }
}

function keyHeader(key: string | undefined): Record<string, string> {
  return key === undefined ? {} : { 'idempotency-key': key }
}

/** Minor units as the JSON body of a request, in dollars and cents. */
export function amountOf(minor: number): string {
  return `{"amount": ${Math.floor(minor / 100)}.${String(minor % 100).padStart(2, '0')}}`
}

/** Dollars and cents as minor units. */
export function minorOf(text: string): number {
  assert.match(text, /^[0-9]+\.[0-9]{2}$/)
  return Number(text.replace('.', ''))
}

/** The stable code of a problem. */
export function codeOf(answer: Answer | undefined): string | undefined {
  return answer === undefined ? undefined : JSON.parse(answer.body).code
}

/** Another program takes the journal's write lock, and keeps it until it is told to let go. */
export async function holdLock(scope: Scope, path: string): Promise<{ release(): Promise<void> }> {
  const script = `
    const { DatabaseSync } = require('node:sqlite')
    const db = new DatabaseSync(process.argv[1], { timeout: 10_000 })
    db.exec('begin immediate')
    console.log('held')
    process.stdin.once('data', () => {
      db.exec('rollback')
      console.log('released')
      process.exit(0)
    })`
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', '-e', script, path], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  scope.after(() => void child.kill('SIGKILL'))
  await once(child.stdout, 'data')
  return {
    async release() {
      child.stdin.write('\n')
      await once(child.stdout, 'data')
    },
  }
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

/** Asks until it is so; fails after a while. */
export async function until(
  what: string,
  isSo: () => Promise<boolean> | boolean,
  maxMs = 10_000,
): Promise<void> {
  for (const endMs = performance.now() + maxMs; !(await isSo()); await pause(25))
    assert.ok(performance.now() < endMs, `${what}, within ${maxMs} ms`)
}

export const isRoot = process.getuid?.() === 0

export type SmallDisk = { readonly directory: string; remount(option: string): void }

/** A disk of its own in memory, so many MiB large; undefined where one cannot be had, which takes root. */
export function smallDisk(scope: Scope, mebibytes: number): SmallDisk | undefined {
  const directory = mkdtempSync(join(tmpdir(), 'cashpoint-disk-'))
  const mount = (option: string) =>
    spawnSync('mount', ['-t', 'tmpfs', '-o', option, 'tmpfs', directory], { stdio: 'ignore' }).status === 0
  if (!isRoot || !mount(`size=${mebibytes}m`)) {
    rmSync(directory, { recursive: true })
    return undefined
  }
  scope.after(() => {
    spawnSync('umount', ['-l', directory])
    rmSync(directory, { recursive: true, force: true })
  })
  return { directory, remount: (option) => assert.ok(mount(`remount,${option}`), `remount ${option}`) }
}
