/** A server's side of the talk with the bench that started it: its URL out, then questions in. */
import assert from 'node:assert'

export type Memory = { readonly nowBytes: number; readonly peakBytes: number }

export type Served = {
  readonly url: string
  /** Where ISO 8583 is listened to, if it is. */
  readonly iso8583?: readonly string[]
  stop(): Promise<void>
}

/** Says where the server listens, answers what its memory is, and stops it when told so or when the bench is gone. */
export function answerBench({ url, iso8583: [line] = [], stop }: Served): void {
  assert(process.send !== undefined, 'only the bench starts this')
  process.on('disconnect', () => process.exit(1))
  process.on('message', async (message) => {
    if (message === 'memory') process.send?.(memory())
    if (message !== 'stop') return
    await stop()
    process.exit(0)
  })
  // By address, so that no generator chooses between IPv4 and IPv6 by itself.
  process.send({ url: url.replace('localhost', '127.0.0.1'), line })
}

function memory(): Memory {
  // maxRSS is in KiB.
  return { nowBytes: process.memoryUsage.rss(), peakBytes: process.resourceUsage().maxRSS * 1024 }
}
