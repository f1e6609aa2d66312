/** What is done about V8 for all of the process. Why, and what it is worth: docs/decisions/0003-journal-and-index.md. */
import { executionAsyncResource } from 'node:async_hooks'
import { setFlagsFromString } from 'node:v8'

export function tellV8(): void {
  // With some hundred connections it takes the lists of listeners on requests for what lives long, and makes them in the
  // old space, from where each keeps its request alive, though nothing knows either any more.
  setFlagsFromString('--no-allocation-site-pretenuring')
  // What the process was started with is meant for this thread, and would go before the limits of the store's threads.
  for (const space of ['semi', 'old']) setFlagsFromString(`--max-${space}-space-size=0`)
  process.nextTick(keepShape)
}

const kept: object[] = []

/**
 * Keeps what Node made for one `process.nextTick`. A full collection at a moment when there is none forgets how such an
 * object is laid out, and from then on V8 makes each the slow way: 0.4 µs instead of 0.1, half a dozen times a request.
 */
function keepShape(): void {
  kept[0] = executionAsyncResource()
}
