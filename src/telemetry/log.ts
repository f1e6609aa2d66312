/** The log: JSON lines to a descriptor, which nobody who writes one waits for. */
import { type Logger, pino, symbols } from 'pino'

/** What a request came to. */
export type RequestLine = {
  /** Of letters, digits and signs that need no escape in JSON; so is the method. */
  readonly id: string
  readonly method: string
  readonly path: string
  /** Empty where nobody in particular asked. */
  readonly actor: string
  readonly status: number
  readonly ms: number
}

/**
 * Logs requests as `log.info` would, to the letter. That looks at every character of every name and value, which was
 * one of the 45 µs that a withdrawal cost; here the names are known, and most of the values.
 */
export function requestLog(log: Logger): (line: RequestLine) => void {
  const { [symbols.streamSym]: stream, [symbols.chindingsSym]: bound } = log as unknown as Inside
  let headMs = 0
  let head = ''
  return ({ id, method, path, actor, status, ms }) => {
    if (!log.isLevelEnabled('info')) return
    const nowMs = Date.now()
    if (nowMs !== headMs) {
      headMs = nowMs
      // Joined, it is one piece: what is added up is copied piece by piece when it is written.
      head = [`{"level":${log.levels.values['info']},"time":`, nowMs, bound, ',"id":"'].join('')
    }
    const who = actor === '' ? '' : `,"actor":${JSON.stringify(actor)}`
    const hundredths = Math.round(ms * 100) / 100
    stream.write(
      `${head}${id}","method":"${method}","path":${JSON.stringify(path)}${who},"status":${status},"ms":${hundredths}}\n`,
    )
  }
}

/** What of a logger its library names by symbols. */
type Inside = {
  readonly [symbols.streamSym]: { write(line: string): void }
  /** What it was told to say in every line, as JSON. */
  readonly [symbols.chindingsSym]: string
}

// Nobody who follows a log sees it, and nothing that ends in order loses any of it.
const gatherMs = 10

/** `to` is a descriptor, such as 2. What is still to be written at the process's end is written then. */
export function openLog(level: string, to: number): Logger {
  const destination = pino.destination({ dest: to, sync: false })
  // Lines go there by the hundred: with each write it copies all that waits, which was a third of what a withdrawal
  // allocated, and wakes a thread.
  let lines = ''
  const hand = () => {
    const handed = lines
    lines = ''
    if (handed !== '') destination.write(handed)
  }
  process.once('exit', () => {
    hand()
    destination.flushSync()
  })
  const stream = {
    write(line: string) {
      if (lines === '') setTimeout(hand, gatherMs)
      lines += line
    },
    flush(then?: (error?: Error) => void) {
      hand()
      destination.flush(then)
    },
  }
  return pino({ level }, stream)
}
