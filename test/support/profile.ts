/**
 * How long the tests may take: `npm test` is the fast profile, which attacks every promise; `npm run test:long` does
 * the same more often, and adds what only time can show.
 */
export const long = process.env['CASHPOINT_TEST_LONG'] === '1'

/** How many times: a few in the fast profile, many in the long one. */
export function times(few: number, many: number): number {
  return long ? many : few
}
