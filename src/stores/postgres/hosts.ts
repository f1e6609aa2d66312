/**
 * The servers that a URL names, read as libpq reads it: several hosts, `target_session_attrs`, and `sslmode` with its
 * default of TLS where the server has it. The driver knows one host and the modes that leave nothing open.
 */

/** A server, with or without TLS, as the driver takes it. */
export type Endpoint = { readonly url: string }

export type Database = {
  /** Where it is, without user or password. */
  readonly name: string
  /** In the order in which they are tried, each with the ways to connect: another where TLS, or its want, is turned down. */
  readonly servers: readonly (readonly Endpoint[])[]
  /** Whether a server that takes no writes is passed over. */
  readonly needsWrites: boolean
}

const modes = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full']
const attributes = ['any', 'read-write', 'primary']
const urlPattern =
  /^postgres(?:ql)?:\/\/(?<user>[^/?]*@)?(?<hosts>[^/?]*)(?<path>\/[^?]*)?(?:\?(?<query>.*))?$/
const hostPattern = /^(?:\[[0-9A-Fa-f:.%]+\]|[^:[\]]*)(?::(?<port>\d{1,5}))?$/

/** Throws an Error that says what is wrong with it, without what may be a password. */
export function readDatabaseUrl(text: string, env: NodeJS.ProcessEnv = process.env): Database {
  const { user = '', hosts: given = '', path = '', query = '' } = urlPattern.exec(text)?.groups ?? noUrl()
  const params = new URLSearchParams(query)
  const take = (name: string) => {
    const value = params.get(name) ?? undefined
    params.delete(name)
    return value
  }
  const hosts = hostsOf(given, take('host'), take('port'))
  const attribute = take('target_session_attrs') ?? (hosts.length > 1 ? 'read-write' : 'any')
  if (!attributes.includes(attribute))
    throw new Error(`target_session_attrs must be one of ${attributes.join(', ')}: Cashpoint writes`)
  const mode = take('sslmode') ?? env['PGSSLMODE'] ?? 'prefer'
  if (!modes.includes(mode)) throw new Error(`sslmode must be one of ${modes.join(', ')}`)
  // The authorities that Node comes with.
  if (params.get('sslrootcert') === 'system') params.delete('sslrootcert')
  else if (mode === 'verify-ca' && !params.has('sslrootcert'))
    throw new Error('sslmode=verify-ca needs sslrootcert, the file of the authority')

  const servers = hosts.map(({ host, port, isSocket }) =>
    tlsOf(mode, isSocket).map((tls) => {
      const more = new URLSearchParams(params)
      if (tls !== 'disable') more.set('uselibpqcompat', 'true')
      more.set('sslmode', tls)
      if (isSocket) more.set('host', host)
      if (isSocket && port !== undefined) more.set('port', port)
      const url = `postgres://${user}${isSocket ? '' : host}${path}?${more}`
      if (!isSocket && host !== '' && !URL.canParse(url)) noUrl()
      return { url }
    }),
  )
  const name = `postgres://${hosts.map(({ host }) => host).join(',')}${path}`
  return { name, servers, needsWrites: attribute !== 'any' }
}

type Host = { readonly host: string; readonly port?: string | undefined; readonly isSocket: boolean }

/** From the URL itself, or from its `host` and `port`, as libpq has it for sockets. */
function hostsOf(given: string, named: string | undefined, ports: string | undefined): readonly Host[] {
  if (named === undefined || named === '')
    return given.split(',').map((host) => {
      const port = hostPattern.exec(host)?.groups?.['port']
      if (!hostPattern.test(host) || Number(port ?? 1) > 65_535) noUrl()
      return { host: port === undefined && ports !== undefined ? `${host}:${ports}` : host, isSocket: false }
    })
  const each = ports?.split(',') ?? []
  return named.split(',').map((host, i) => {
    const port = each[i] ?? each[0] ?? hostPattern.exec(given)?.groups?.['port']
    const bare = host.includes(':') && !host.startsWith('/') ? `[${host}]` : host
    if (bare.startsWith('/')) return { host: bare, port, isSocket: true }
    return { host: port === undefined ? bare : `${bare}:${port}`, isSocket: false }
  })
}

/** What is tried one after the other; over a socket there is no TLS. */
function tlsOf(mode: string, isSocket: boolean): readonly string[] {
  if (isSocket) return ['disable']
  if (mode === 'prefer') return ['prefer', 'disable']
  if (mode === 'allow') return ['disable', 'prefer']
  return [mode]
}

function noUrl(): never {
  throw new Error('it must be postgres://USER@HOST:PORT/DATABASE; more hosts go after commas')
}

/** Which server was good last, and whether it wants TLS: there everybody goes first. */
export class Hosts {
  readonly database: Database
  readonly #ways: number[]
  #server = 0

  constructor(database: Database) {
    this.database = database
    this.#ways = database.servers.map(() => 0)
  }

  /** How many there are to try. */
  get count(): number {
    return this.database.servers.flat().length
  }

  get best(): Endpoint {
    const ways = this.database.servers[this.#server] as readonly Endpoint[]
    return ways[this.#ways[this.#server] as number] as Endpoint
  }

  /** It was no good: another is better, if nobody has said so already. */
  failed(endpoint: Endpoint, wasTurnedDown: boolean): void {
    if (endpoint !== this.best) return
    const ways = this.database.servers[this.#server] as readonly Endpoint[]
    if (wasTurnedDown) {
      const way = ((this.#ways[this.#server] as number) + 1) % ways.length
      this.#ways[this.#server] = way
      if (way > 0) return
    }
    this.#server = (this.#server + 1) % this.database.servers.length
  }
}
