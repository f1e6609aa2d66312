/** Where ISO 8583 is listened to, as an operator writes it: `iso87a://localhost:8583?terminals=ATM*`. */
import { type Framing, framings } from './framing.ts'
import { base24, iso87a, type Spec } from './message/index.ts'

export type Address = {
  readonly spec: Spec
  readonly host: string
  readonly port: number
  readonly framing: Framing
  readonly strict: boolean
  /** Which terminals may say something here: of each certificate by its name, and of everybody else. */
  readonly terminals: Patterns
  readonly clients: ReadonlyMap<string, Patterns>
  /** Files, where it is TLS with client certificates. */
  readonly tls: { readonly cert: string; readonly key: string; readonly ca: string } | undefined
}

/** `ATM*` and the like: a star stands for any letters and digits. */
export type Patterns = readonly string[]

const specs: Readonly<Record<string, Spec>> = { iso87a, base24 }

export function matchesAny(patterns: Patterns, terminal: string): boolean {
  return patterns.some((pattern) => new RegExp(`^${pattern.replaceAll('*', '[A-Z0-9]*')}$`).test(terminal))
}

/** One or more with spaces between them. Throws an Error whose message says what is wrong. */
export function readAddresses(text: string): readonly Address[] {
  return text
    .split(/\s+/)
    .filter((each) => each !== '')
    .map(readAddress)
}

function readAddress(text: string): Address {
  const url = URL.parse(text)
  const spec = specs[url?.protocol.slice(0, -1) ?? '']
  if (url === null || spec === undefined)
    throw new Error(`must be such as iso87a://localhost:8583?terminals=ATM*, or base24://…`)
  const clients = new Map<string, Patterns>()
  const given = new Map<string, string>()
  for (const [name, value] of url.searchParams) {
    if (name.startsWith('client.')) clients.set(name.slice(7), patternsOf(value))
    else if (known.includes(name)) given.set(name, value)
    else throw new Error(`knows no ${name}: only ${known.join(', ')} and client.NAME`)
  }
  const framing = given.get('framing') ?? 'digits4'
  const isFraming = (name: string): name is Framing => framings.some((each) => each === name)
  if (!isFraming(framing)) throw new Error(`framing must be one of ${framings.join(', ')}, not ${framing}`)
  const strict = given.get('strict') ?? '0'
  if (!['0', '1'].includes(strict)) throw new Error(`strict must be 0 or 1, not ${strict}`)
  const everybody = clients.size === 0 ? '*' : ''
  return {
    spec,
    host: url.hostname.replace(/^\[|\]$/g, '') || 'localhost',
    port: url.port === '' ? 8583 : Number(url.port),
    framing,
    strict: strict === '1',
    terminals: patternsOf(given.get('terminals') ?? everybody),
    clients,
    tls: tlsOf(given),
  }
}

const known = ['terminals', 'framing', 'strict', 'cert', 'key', 'ca']

function patternsOf(text: string): Patterns {
  const patterns = text.split(',').filter((each) => each !== '')
  const wrong = patterns.find((each) => !/^[A-Z0-9*]{1,16}$/.test(each))
  if (wrong !== undefined) throw new Error(`terminals must be such as ATM*,BANK0001, not ${wrong}`)
  return patterns
}

function tlsOf(given: ReadonlyMap<string, string>): Address['tls'] {
  const [cert, key, ca] = ['cert', 'key', 'ca'].map((name) => given.get(name))
  if (cert === undefined && key === undefined && ca === undefined) return undefined
  if (!cert || !key || !ca)
    throw new Error('needs cert, key and ca together: files of the server, and who signs clients')
  return { cert, key, ca }
}
