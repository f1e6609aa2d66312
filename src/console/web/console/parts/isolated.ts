/** Names and numbers inside sentences that somebody else wrote: they keep their own direction, and turn nothing around. */

export function isolated(text: string): string {
  return `\u2068${text}\u2069`
}
