/** One request to the server and what came of it, kept so that people can look at it. It knows nothing of cash machines. */

export type Request = {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  /** Such as `/v1/terminals/ATM00001/withdrawals`. */
  readonly path: string
  readonly body?: object
  /** Sent as `Idempotency-Key`. */
  readonly key?: string
}

export type Answer = {
  readonly status: number
  readonly body: unknown
  /** The body as it came, to the byte. */
  readonly text: string
  /** The server had answered this before, and says the same again. */
  readonly replayed: boolean
  readonly ms: number
}

/** No answer came: whether the request was done is not known. */
export class NoAnswer extends Error {}

const tryMs = 15_000

export async function ask(request: Request): Promise<Answer> {
  const { method, path, body } = request
  const since = performance.now()
  try {
    const response = await fetch(path, {
      method,
      headers: headersOf(request),
      signal: AbortSignal.timeout(tryMs),
      cache: 'no-store',
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    return {
      status: response.status,
      body: parsed(text),
      text,
      replayed: response.headers.get('idempotency-replayed') === 'true',
      ms: performance.now() - since,
    }
  } catch (error) {
    throw new NoAnswer('the server gave no answer', { cause: error })
  }
}

export function newKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(8)), (byte) =>
    byte.toString(16).padStart(2, '0'),
  ).join('')
}

export function headersOf({ body, key }: Request): Record<string, string> {
  return {
    ...(body !== undefined && { 'content-type': 'application/json' }),
    ...(key !== undefined && { 'idempotency-key': key }),
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
