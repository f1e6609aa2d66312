/** The bench's side of its servers: started as child processes, never waited for without a limit, always ended. */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Memory } from './child.ts'

const startMaxMs = 300_000
const stopMaxMs = 60_000
const answerMaxMs = 30_000

const alive = new Set<ChildProcess>()
process.on('exit', () => {
  for (const child of alive) child.kill('SIGKILL')
})
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => process.exit(130))

export type ServerProcess = {
  readonly url: string
  /** HOST:PORT where it listens for ISO 8583; undefined where it does not. */
  readonly line: string | undefined
  memory(): Promise<Memory>
  /** Stops it in order; throws where it does not end, or not with 0. */
  stop(): Promise<void>
}

/** What `npm start` says to V8. */
const { scripts } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
const startFlags: readonly string[] = scripts.start.match(/--\S+/g) ?? []

/** Starts one of the bench's servers as `npm start` does, or with a nursery of other MB, and waits for its URL. */
export async function startServer(
  script: string,
  args: readonly string[],
  { nursery }: { nursery?: number } = {},
): Promise<ServerProcess> {
  const child = watched(
    fork(fileURLToPath(new URL(script, import.meta.url)), args, {
      // With the compile cache that `npm start` gives.
      env: {
        ...process.env,
        NODE_COMPILE_CACHE: fileURLToPath(new URL('.stores/compiled', import.meta.url)),
      },
      execArgv: [
        '--disable-warning=ExperimentalWarning',
        ...startFlags,
        ...(nursery === undefined ? [] : [`--max-semi-space-size=${nursery}`]),
      ],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    }),
  )
  const { url, line } = (await next(child, 'message', startMaxMs)) as Pick<ServerProcess, 'url' | 'line'>
  return {
    url,
    line,
    memory() {
      child.send('memory')
      return next(child, 'message', answerMaxMs) as Promise<Memory>
    },
    async stop() {
      child.send('stop')
      const code = await next(child, 'exit', stopMaxMs)
      if (code !== 0) throw new Error(`${script} ended with ${code}`)
    },
  }
}

/** Makes sure that a child does not outlive the bench. */
export function watched<Child extends ChildProcess>(child: Child): Child {
  alive.add(child)
  child.once('exit', () => alive.delete(child))
  return child
}

/** What a child says or does next; throws where it ends instead or takes too long. */
export async function next(child: ChildProcess, event: 'message' | 'exit', maxMs: number): Promise<unknown> {
  if (child.exitCode !== null && event === 'exit') return child.exitCode
  const done = new AbortController()
  const signal = AbortSignal.any([done.signal, AbortSignal.timeout(maxMs)])
  const ended = once(child, 'exit', { signal }).then(([code]) => {
    if (event === 'exit') return code
    throw new Error(`${child.spawnargs.slice(1).join(' ')} ended with ${code}`)
  })
  ended.catch(() => {})
  try {
    if (event === 'exit') return await ended
    return await Promise.race([once(child, event, { signal }).then(([value]) => value), ended])
  } finally {
    done.abort()
  }
}
