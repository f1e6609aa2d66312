// `cashpoint serve` that lets in few connections and waits for nobody long: the launcher's place is taken by this.

import { crowdLimits } from '../../src/rest/crowd.ts'
import { httpLimits } from '../../src/rest/server.ts'

Object.assign(crowdLimits, { connectionsMax: 1_000 })
Object.assign(httpLimits, { requestTimeout: 2_000, headersTimeout: 1_500, connectionsCheckingInterval: 200 })

await import('../../src/main.ts')
