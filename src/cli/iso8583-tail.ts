/** `cashpoint iso8583 tail`: the messages of a running server as they pass, one a line, masked. */
import { parseArgs } from 'node:util'
import { SettingError } from './settings.ts'

const usage = `usage: cashpoint iso8583 tail [--url http://localhost:5000]

  prints what machines say to a running server by ISO 8583, and what it answers, as it passes: when, with whom,
  > for what came and < for what was answered, the type, the fields. Card numbers show their last four digits;
  secrets, and amounts on accounts, nothing. Outside demo mode the credential, of an operator, auditor or admin, is
  in CASHPOINT_KEY.`

type Message = {
  readonly at: string
  readonly peer: string
  readonly direction: 'received' | 'sent'
  readonly type: string
  readonly fields: Readonly<Record<string, string>>
  readonly problem?: string
}

export async function iso8583(args: readonly string[]): Promise<void> {
  if (args.includes('--help')) return console.log(usage)
  const url = read(args)
  // Not among the arguments, where everybody on this machine can read it.
  const key = process.env['CASHPOINT_KEY']
  const headers = { accept: 'text/event-stream', ...(key && { authorization: `Bearer ${key}` }) }
  const response = await fetch(new URL('iso8583/messages', url), { headers }).catch((error) => {
    throw new SettingError(`nobody answers at ${url}: ${error.cause?.code ?? error.message}`)
  })
  if (response.status !== 200 || response.body === null) {
    const { title = '' } = (await response.json().catch(() => ({}))) as { title?: string }
    throw new SettingError(`${url} answered ${response.status} ${title}`.trimEnd())
  }
  try {
    for await (const event of eventsOf(response.body)) {
      const line = lineOf(event)
      if (line !== undefined) console.log(line)
    }
  } catch {
    throw new SettingError(`the line to ${url} broke`)
  }
  // The server has stopped, or the credential was revoked.
}

function read(args: readonly string[]): URL {
  try {
    const options = { url: { type: 'string', default: 'http://localhost:5000' } } as const
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true })
    if (positionals.join(' ') !== 'tail') throw new Error('say iso8583 tail')
    const url = URL.parse(values.url.replace(/\/?$/, '/'))
    if (url === null || !/^https?:$/.test(url.protocol)) throw new Error(`--url is no URL: ${values.url}`)
    return url
  } catch (error) {
    throw new SettingError(error instanceof Error ? error.message : String(error))
  }
}

/** The events of a stream, each as its lines. */
async function* eventsOf(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  let text = ''
  const decoder = new TextDecoder()
  for await (const piece of body) {
    text += decoder.decode(piece, { stream: true })
    const events = text.split('\n\n')
    text = events.pop() ?? ''
    yield* events
  }
}

/** Undefined where the event only says that the server is there. */
function lineOf(event: string): string | undefined {
  const [, name, data] = /^(?:event: (.+)\n)?data: (.+)$/.exec(event) ?? []
  if (data === undefined) return undefined
  if (name === 'missed') return `… ${data} more, too fast to be told`
  const { at, peer, direction, type, fields, problem } = JSON.parse(data) as Message
  const shown = Object.entries(fields).map(([number, value]) => `${number}=${printable(value)}`)
  const why = problem === undefined ? [] : [`(${problem})`]
  return [at, peer, direction === 'received' ? '>' : '<', type, ...shown, ...why].join(' ')
}

/** A terminal must not obey what a message has in it, and fields end at a space. */
function printable(value: string): string {
  const safe = value.replace(/[^ -~\u00A0-\u00FF]/g, '·')
  return safe.includes(' ') ? `"${safe}"` : safe
}
