/** The last month a card is good in, which is kept as `2912`, as cards have it printed: `12/29`. */
export function expiryText(expiry: string): string {
  return `${expiry.slice(2)}/${expiry.slice(0, 2)}`
}
