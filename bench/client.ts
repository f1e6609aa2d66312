/** A Node client for cells whose requests depend on what was answered before. */
import assert from 'node:assert'
import { Agent, request } from 'node:http'
import type { ServerProcess } from './children.ts'

export type Ask = (path: string, body?: string, method?: string) => Promise<string>

/** How often a second `once` is done by so many clients, each on a connection of its own. */
export async function rate(
  { url }: ServerProcess,
  clients: number,
  seconds: number,
  once: (ask: Ask) => Promise<void>,
  key?: string,
): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: clients })
  const ask = asker(url, agent, key)
  const startedMs = performance.now()
  let done = 0
  const run = async () => {
    while (performance.now() - startedMs < seconds * 1000) {
      await once(ask)
      done += 1
    }
  }
  await Promise.all(Array.from({ length: clients }, run))
  agent.destroy()
  return done / ((performance.now() - startedMs) / 1000)
}

export function asker(url: string, agent: Agent, key?: string): Ask {
  const { hostname, port } = new URL(url)
  const authorization = key === undefined ? {} : { authorization: `Bearer ${key}` }
  return (path, body, method = body === undefined ? 'GET' : 'POST') =>
    new Promise((resolve, reject) => {
      const ofBody =
        body === undefined ? {} : { 'content-type': 'application/json', 'content-length': body.length }
      const headers = { ...authorization, ...ofBody }
      const sent = request({ hostname, port, agent, path, method, headers }, (response) => {
        let text = ''
        response.setEncoding('utf8').on('data', (part: string) => {
          text += part
        })
        response.on('end', () => {
          assert(
            (response.statusCode ?? 0) < 300,
            `${path} answered ${response.statusCode}: ${text.slice(0, 300)}`,
          )
          resolve(text)
        })
      })
      sent.on('error', reject)
      sent.end(body)
    })
}
