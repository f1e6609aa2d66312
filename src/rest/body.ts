/** JSON bodies as text, whatever is made of them: what may arrive, and what a body that cannot be read is answered. */
import type { FastifyRequest } from 'fastify'
import { ProblemError } from './problem.ts'

type Done = (error: Error | null, body?: unknown) => void

/** A content type parser by what reads the text: it throws a ProblemError, or a SyntaxError for what is no JSON object. */
export function jsonBody(read: (text: string) => unknown) {
  return ({ headers }: FastifyRequest, body: string, done: Done): void => {
    const { 'content-type': type, 'content-encoding': encoding = 'identity' } = headers
    const charset = /charset="?([^\s;"]+)/i.exec(type ?? '')?.[1] ?? 'utf-8'
    if (encoding !== 'identity' || charset.toLowerCase() !== 'utf-8')
      done(new ProblemError('media_type_unsupported'))
    else if (body === '') done(null, undefined)
    else readBody(() => read(body), done)
  }
}

function readBody(read: () => unknown, done: Done): void {
  try {
    done(null, read())
  } catch (error) {
    if (error instanceof ProblemError) done(error)
    else done(new ProblemError('malformed_body', error instanceof Error ? withoutText(error) : undefined))
  }
}

/** What the parser says, without the piece of the body that it may show, in which a card number or a PIN can be. */
function withoutText({ message }: Error): string {
  return message.replace(/,? ?(\.\.\.)?".*$/s, '')
}
