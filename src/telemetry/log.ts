/** The log: JSON lines to a descriptor, which nobody who writes one waits for. */
import { type Logger, pino } from 'pino'

/** `to` is a descriptor, such as 2. What is still to be written at the process's end is written then. */
export function openLog(level: string, to: number): Logger {
  const destination = pino.destination({ dest: to, sync: false })
  // The lines of one turn go there together: with each write it copies all that waits, which was a third of what a
  // withdrawal allocated.
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
      if (lines === '') setImmediate(hand)
      lines += line
    },
    flush(then?: (error?: Error) => void) {
      hand()
      destination.flush(then)
    },
  }
  return pino({ level }, stream)
}
