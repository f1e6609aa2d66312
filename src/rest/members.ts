/**
 * Reads a JSON object's own members as the text they were written in. JSON.parse alone would round
 * 9007199254740993 and let the last of two `amount`s win without a word.
 */

export type Members = {
  /** Each member's name and its value's own text, such as `100.00` or `"100.00"`. */
  readonly sources: ReadonlyMap<string, string>
  /** The names that were given more than once. */
  readonly repeated: ReadonlySet<string>
}

const noNames: ReadonlySet<string> = new Set()
export const noMembers: Members = { sources: new Map(), repeated: noNames }

/** Throws a SyntaxError where the text is not JSON, or not an object. */
export function readMembers(text: string): Members {
  // This decides what is JSON; below, the text is known to be well formed.
  parseObject(text)
  const sources = new Map<string, string>()
  let repeated: Set<string> | undefined
  let at = skipSpace(text, text.indexOf('{') + 1)
  while (text[at] !== '}') {
    const nameEnd = skipString(text, at)
    const name = stringIn(text.slice(at, nameEnd))
    const start = skipSpace(text, skipSpace(text, nameEnd) + 1)
    const end = skipValue(text, start)
    if (sources.has(name)) repeated = (repeated ?? new Set<string>()).add(name)
    sources.set(name, text.slice(start, end))
    at = skipSpace(text, end)
    if (text[at] === ',') at = skipSpace(text, at + 1)
  }
  return { sources, repeated: repeated ?? noNames }
}

/** What a JSON string says. */
function stringIn(source: string): string {
  return source.includes('\\') ? JSON.parse(source) : source.slice(1, -1)
}

/** Throws a SyntaxError where the text is not JSON, or not an object. */
export function parseObject(text: string): object {
  const value: unknown = JSON.parse(text)
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new SyntaxError('The body must be a JSON object')
  return value
}

function skipSpace(text: string, at: number): number {
  while (text.charCodeAt(at) <= 0x20) at += 1
  return at
}

/** From an opening quote to behind the closing one. */
export function skipString(text: string, at: number): number {
  at += 1
  while (text[at] !== '"') at += text[at] === '\\' ? 2 : 1
  return at + 1
}

function skipValue(text: string, at: number): number {
  let depth = 0
  do {
    const char = text[at]
    if (char === '"') at = skipString(text, at)
    else {
      if (char === '{' || char === '[') depth += 1
      if (char === '}' || char === ']') depth -= 1
      at += 1
    }
  } while (depth > 0 || !endsValue(text.charCodeAt(at)))
  return at
}

/** `,` `}` `]` or space. */
export function endsValue(code: number): boolean {
  return code === 0x2c || code === 0x7d || code === 0x5d || code <= 0x20
}

/** A member's name or path as it may be repeated: who mistakes a card number for one must not have it in a log. */
export function withoutNumbers(name: string): string {
  return name.replace(/[0-9]{8,}/g, '…')
}
