/** The `Idempotency-Key` header, by the IETF draft: a quoted string, or the bare text most clients send. */
import type { FastifyRequest } from 'fastify'
import { ProblemError } from './problem.ts'

/** The key, without its quotes, or undefined where there is none. 1 to 255 printable ASCII characters. */
export function readIdempotencyKey(request: FastifyRequest): string | undefined {
  const header = request.headers['idempotency-key']
  if (header === undefined) return undefined
  const text = String(header)
  const quoted = /^"((?:[^"\\]|\\["\\])*)"$/.exec(text)?.[1]
  const key = quoted?.replace(/\\(["\\])/g, '$1') ?? text
  if (!isIdempotencyKey(key))
    throw new ProblemError('idempotency_key_invalid', 'A key is 1 to 255 printable ASCII characters')
  return key
}

export function isIdempotencyKey(text: string): boolean {
  return /^[\x20-\x7e]{1,255}$/.test(text)
}
