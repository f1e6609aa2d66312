// `cashpoint serve` whose threads die when they are told to by name: the launcher's place is taken by this.

import { syncBuiltinESMExports } from 'node:module'
import threads from 'node:worker_threads'

const byName = new Map<string, threads.Worker>()

class Mortal extends threads.Worker {
  constructor(file: URL, options: threads.WorkerOptions) {
    super(file, options)
    byName.set(options.name ?? '', this)
  }
}

threads.Worker = Mortal
syncBuiltinESMExports()

process.on('message', ({ thread, how }: { thread: string; how: 'error' | 'end' }) => {
  const worker = byName.get(thread)
  // No message that any of them knows: it throws over there.
  if (how === 'error') worker?.postMessage(undefined)
  else void worker?.terminate()
})

await import('../../src/main.ts')
