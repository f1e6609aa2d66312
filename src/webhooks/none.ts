/** Webhooks of a server that sends none: each is refused when it is made, and says why. */
import type { Webhooks } from '../bank/webhooks.ts'

export const noWebhooks: Webhooks = {
  sealedWith: '',
  secretOf: () => '',
  refuses: async () => 'is not sent to by a server on PostgreSQL yet: follow GET /v1/events',
  deliveries: () => ({ things: [] }),
  counts: () => ({ pending: 0, dead: 0 }),
}
