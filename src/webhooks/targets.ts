/**
 * Where a webhook may lead: public addresses over https, and networks that the operator names. An address is judged
 * where the connection is made, so that a name cannot lead elsewhere after it was looked at.
 */
import { type LookupAddress, lookup } from 'node:dns'
import { BlockList, isIP, type LookupFunction } from 'node:net'

/** IANA's registries of special-purpose addresses: what is not reached over the public internet. */
const special = listOf([
  ...['0.0.0.0/8', '10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16', '172.16.0.0/12'],
  ...['192.0.0.0/24', '192.0.2.0/24', '192.31.196.0/24', '192.52.193.0/24', '192.88.99.0/24'],
  ...['192.168.0.0/16', '192.175.48.0/24', '198.18.0.0/15', '198.51.100.0/24', '203.0.113.0/24'],
  ...['224.0.0.0/4', '240.0.0.0/4', '2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20'],
])
/** All that is given out to the public; the rest of IPv6 is local, mapped, translated or of no use. */
const publicIpv6 = listOf(['2000::/3'])

export type Resolve = (
  name: string,
  options: { readonly all: true },
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void

export class Targets {
  readonly #networks: BlockList
  readonly #hasNetworks: boolean
  readonly #resolve: Resolve

  /** `networks` may be reached although they are not public, and over http. */
  constructor(networks: readonly string[], resolve: Resolve = lookup) {
    this.#networks = listOf(networks)
    this.#hasNetworks = networks.length > 0
    this.#resolve = resolve
  }

  /** Why nothing may be sent to an address, if so. */
  refuses(address: string, isSecure: boolean): string | undefined {
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4'
    if (this.#networks.check(address, family)) return undefined
    const isPublic =
      !special.check(address, family) && (family === 'ipv4' || publicIpv6.check(address, family))
    if (!isPublic)
      return 'leads to an address that is not public; CASHPOINT_WEBHOOK_NETWORKS can name networks that may be reached'
    return isSecure ? undefined : 'must be https: http is for networks that CASHPOINT_WEBHOOK_NETWORKS names'
  }

  /** Why a URL is no target, as far as can be told before it is asked; a name that leads nowhere yet may later. */
  async refusesUrl(text: string): Promise<string | undefined> {
    const url = URL.parse(text)
    if (url === null || !['https:', 'http:'].includes(url.protocol))
      return 'must be an https URL with a name or an address'
    if (url.username !== '' || url.password !== '')
      return 'must not have a password in it: deliveries are signed instead'
    const isSecure = url.protocol === 'https:'
    const host = hostOf(url)
    if (isIP(host) !== 0) return this.refuses(host, isSecure)
    if (!isSecure && !this.#hasNetworks)
      return 'must be https: http is for networks that CASHPOINT_WEBHOOK_NETWORKS names'
    const addresses = await new Promise<readonly LookupAddress[]>((resolve) =>
      this.#resolve(host, { all: true }, (error, found) => resolve(error ? [] : found)),
    )
    const whys = addresses.map(({ address }) => this.refuses(address, isSecure))
    return whys.length > 0 && whys.every((why) => why !== undefined) ? whys[0] : undefined
  }

  /** Resolves names for connections, to addresses that may be reached alone. */
  lookup(isSecure: boolean): LookupFunction {
    return (name, options, callback) =>
      this.#resolve(name, { all: true }, (error, found) => {
        if (error) return callback(error, '', 0)
        const reachable = found.filter(({ address }) => this.refuses(address, isSecure) === undefined)
        const [first] = reachable
        if (first === undefined) {
          const why = found.map(({ address }) => this.refuses(address, isSecure))[0]
          callback(new Error(`the target ${why ?? 'has no address'}`), '', 0)
        } else if (options.all) callback(null, reachable)
        else callback(null, first.address, first.family)
      })
  }
}

/** A URL's host without the brackets of an IPv6 address. */
export function hostOf({ hostname }: URL): string {
  return hostname.replace(/^\[|\]$/g, '')
}

function listOf(networks: readonly string[]): BlockList {
  const list = new BlockList()
  for (const network of networks) {
    const [address = '', prefix] = network.split('/')
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4'
    if (prefix === undefined) list.addAddress(address, family)
    else list.addSubnet(address, Number(prefix), family)
  }
  return list
}
