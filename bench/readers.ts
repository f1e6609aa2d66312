/** A process of its own that reads the events of a server on some streams, and says how many came: see v1.ts. */
import { get } from 'node:http'

const [url = '', streams = '10'] = process.argv.slice(2)
let events = 0
for (let i = 0; i < Number(streams); i += 1)
  get(`${url}/v1/events?after=latest`, { headers: { accept: 'text/event-stream' } }, (response) => {
    response.on('data', (bytes: Buffer) => {
      for (let at = bytes.indexOf('\nevent:'); at >= 0; at = bytes.indexOf('\nevent:', at + 1)) events += 1
    })
  })
process.on('disconnect', () => process.exit())
process.on('message', () => process.send?.({ events }))
