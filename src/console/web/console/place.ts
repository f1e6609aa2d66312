/** Where in the console somebody is: a path with what its pattern names, and a query. */

export type Place = {
  readonly path: string
  /** What the route's pattern names, such as `terminal` in `/console/terminals/:terminal`. */
  readonly params: Readonly<Record<string, string>>
  readonly query: URLSearchParams
}

/** The same place with another query: members that are set, or taken out where they are undefined or empty. */
export function withQuery(place: Place, members: Readonly<Record<string, string | undefined>>): string {
  const query = new URLSearchParams(place.query)
  for (const [name, text] of Object.entries(members)) {
    if (text === undefined || text === '') query.delete(name)
    else query.set(name, text)
  }
  return query.size > 0 ? `${place.path}?${query}` : place.path
}

/** What a pattern such as `/console/cards/:card` finds in a path; undefined where it does not fit. */
export function matched(pattern: string, path: string): Place['params'] | undefined {
  const wanted = pattern.split('/')
  const there = path.split('/')
  if (wanted.length !== there.length) return undefined
  const params: Record<string, string> = {}
  for (const [i, part] of wanted.entries()) {
    const text = there[i] ?? ''
    if (!part.startsWith(':')) {
      if (part !== text) return undefined
    } else {
      const plain = decoded(text)
      if (plain === undefined || plain === '') return undefined
      params[part.slice(1)] = plain
    }
  }
  return params
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}
