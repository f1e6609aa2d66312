/**
 * What a remembered request keeps of each of its members beside the fingerprint of the whole: a mark of 16 bits,
 * enough to say which of them a repeat has otherwise, and too little to tell what they were.
 */

/** `amount:1f3c,type:09ab`: the members of a command in order of name, each with its mark. */
export function marksOf(command: object): string {
  return Object.entries(command)
    .map(([name, value]) => `${name}:${mark(JSON.stringify(value))}`)
    .sort()
    .join(',')
}

/** The members that two requests do not have alike. */
export function differing(a: string, b: string): string[] {
  const marks = new Map(a.split(',').map(splitAtColon))
  const others = new Map(b.split(',').map(splitAtColon))
  const names = [...new Set([...marks.keys(), ...others.keys()])]
  return names.filter((name) => marks.get(name) !== others.get(name)).sort()
}

function splitAtColon(text: string): [string, string] {
  const at = text.indexOf(':')
  return [text.slice(0, at), text.slice(at + 1)]
}

/** FNV-1a, folded to 16 bits. */
function mark(text: string): string {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i += 1) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return ((hash ^ (hash >>> 16)) & 0xffff).toString(16).padStart(4, '0')
}
