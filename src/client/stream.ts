/** Server-sent events as they come, of one connection. */
import type { CashpointEvent } from './types.ts'

// The server says every 15 s that it is there.
const silentMs = 45_000

/** Yields until the stream ends; throws where it breaks, or is silent for too long. */
export async function* eventsIn(
  open: (hangUp: AbortSignal) => Promise<Response>,
  signal: AbortSignal | undefined,
): AsyncGenerator<CashpointEvent> {
  const silence = new AbortController()
  const hangUp = signal === undefined ? silence.signal : AbortSignal.any([signal, silence.signal])
  const listen = () => setTimeout(() => silence.abort(new Error('the stream is silent')), silentMs)
  let timer = listen()
  try {
    const reader = (await open(hangUp)).body?.getReader()
    const decoder = new TextDecoder()
    let text = ''
    for (;;) {
      const { done, value } = (await reader?.read()) ?? { done: true, value: undefined }
      if (done) return
      clearTimeout(timer)
      timer = listen()
      text += decoder.decode(value, { stream: true })
      const blocks = text.split('\n\n')
      // What is behind the last blank line has not come whole.
      text = blocks.pop() ?? ''
      for (const block of blocks) {
        const data = /^data: (.*)$/m.exec(block)?.[1]
        if (data !== undefined) yield JSON.parse(data) as CashpointEvent
      }
    }
  } finally {
    clearTimeout(timer)
    silence.abort()
  }
}
