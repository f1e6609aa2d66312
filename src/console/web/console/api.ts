/** What the console asks of the server: paths of /v1 in, bodies out; whatever else comes of it is thrown. */
import { CashpointError } from '../../../client/errors.ts'
import type { Problem } from '../../../client/types.ts'
import { type Answer, ask, type Request } from '../wire.ts'
import { words } from './words.ts'

export { NoAnswer, newKey } from '../wire.ts'

let onSignedOut = () => {}

/** What is done when the server no longer knows who asks. */
export function whenSignedOut(then: () => void): void {
  onSignedOut = then
}

/** Looks whether what was refused was refused because nobody is signed in any more. */
export function noticeSignedOut(error: unknown): void {
  if (isRefused(error, 'unauthenticated')) onSignedOut()
}

/** Throws `CashpointError` where the server says no, `NoAnswer` where it says nothing. */
export function get<Body>(path: string): Promise<Body> {
  return asked<Body>({ method: 'GET', path })
}

/**
 * Sends a command. The key stands for the intent: made when somebody decides (`newKey`), and the same again for each
 * try, so that nothing is done twice.
 */
export function post<Body>(path: string, body: object, key: string): Promise<Body> {
  return asked<Body>({ method: 'POST', path, body, key })
}

/** Without a key, and whoever is signed in stays so: what a session itself is asked. */
export async function tell<Body>(request: Request): Promise<Body> {
  return bodyOf<Body>(await ask(request))
}

async function asked<Body>(request: Request): Promise<Body> {
  try {
    return await tell<Body>(request)
  } catch (error) {
    noticeSignedOut(error)
    throw error
  }
}

export function isRefused(error: unknown, code: string): error is CashpointError {
  return error instanceof CashpointError && error.code === code
}

/** What went wrong, in words for people. */
export function failureText(error: unknown): string {
  if (!(error instanceof CashpointError)) return words.failures.noAnswer
  const { code, title, detail } = error.problem
  const known = (words.failures.codes as Readonly<Record<string, string>>)[code]
  return known ?? (detail === undefined ? title : `${title}: ${detail}`)
}

/** Of a path: what stands between two slashes, whatever is in it. */
export function segment(text: string): string {
  return encodeURIComponent(text)
}

/** A path with the members of a query that there are. */
export function withParams(
  path: string,
  members: Readonly<Record<string, string | number | null | undefined>>,
): string {
  const query = new URLSearchParams()
  for (const [name, text] of Object.entries(members))
    if (text !== undefined && text !== null && text !== '') query.set(name, String(text))
  return query.size > 0 ? `${path}?${query}` : path
}

function bodyOf<Body>({ status, body }: Answer): Body {
  if (status < 400) return body as Body
  const problem = body as Problem | undefined
  throw new CashpointError(problem?.code === undefined ? strange(status) : problem, null)
}

/** Of a proxy in between an answer may be anything. */
function strange(status: number): Problem {
  const title = `Answered ${status}, not by Cashpoint`
  return { type: 'about:blank', title, status, code: 'not_cashpoint', error: title }
}
