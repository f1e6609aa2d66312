/** Signatures of the Standard Webhooks specification, version 1: HMAC-SHA256 over id, time and body. */
import { createHmac, hash } from 'node:crypto'

const prefix = 'whsec_'

/** Makes the secrets of webhooks out of one key of the server's, so that no secret is kept anywhere. */
export class Sealer {
  /** Which key this is, without saying anything of it. */
  readonly id: string
  readonly #key: Buffer

  constructor(key: Buffer) {
    this.#key = key
    this.id = hash('sha256', Buffer.concat([Buffer.from('cashpoint webhooks '), key]), 'hex').slice(0, 16)
  }

  /** The secret of a webhook, as its owner is given it: `whsec_` and 32 bytes in base64. */
  secretOf(salt: string): string {
    return prefix + createHmac('sha256', this.#key).update(`webhook ${salt}`).digest('base64')
  }
}

/** The headers that let a target tell that an event is ours, and new. */
export function signed(
  secret: string,
  { id, body, now }: { readonly id: string; readonly body: string; readonly now: number },
): Record<string, string> {
  const timestamp = String(Math.floor(now / 1000))
  const signature = createHmac('sha256', Buffer.from(secret.slice(prefix.length), 'base64'))
    .update(`${id}.${timestamp}.${body}`)
    .digest('base64')
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': `v1,${signature}` }
}
