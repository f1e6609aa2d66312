// `cashpoint serve` that waits for nobody long: the launcher's place is taken by this.

import { httpLimits } from '../../src/rest/server.ts'

Object.assign(httpLimits, { requestTimeout: 2_000, headersTimeout: 1_500, connectionsCheckingInterval: 200 })

await import('../../src/main.ts')
