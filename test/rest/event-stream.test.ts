/** A stream without an end: read by who asks for it, and not at all for who asks for its headers. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import Fastify from 'fastify'
import { sendEvents } from '../../src/rest/event-stream.ts'

test('a HEAD of a stream has its headers, and nothing is read for it', { timeout: 20_000 }, async (t) => {
  let begun = 0
  let ended = 0
  let over = false
  async function* endless(): AsyncGenerator<string> {
    begun += 1
    try {
      while (!over) {
        yield 'data: 1\n\n'
        await new Promise((resolve) => setTimeout(resolve, 5))
      }
    } finally {
      ended += 1
    }
  }
  const app = Fastify({ forceCloseConnections: true })
  app.get('/stream', (request, reply) => sendEvents(request, reply, endless))
  const url = `${await app.listen({ host: '127.0.0.1', port: 0 })}/stream`
  t.after(() => {
    over = true
    return app.close()
  })

  const head = await fetch(url, { method: 'HEAD' })
  assert.equal(head.status, 200)
  assert.match(head.headers.get('content-type') ?? '', /^text\/event-stream/)
  assert.equal(await head.text(), '')
  assert.equal(begun, 0)

  const reader = (await fetch(url)).body?.getReader()
  assert.equal(new TextDecoder().decode((await reader?.read())?.value).slice(0, 9), 'data: 1\n\n')
  await reader?.cancel()
  for (let i = 0; ended === 0 && i < 400; i += 1) await new Promise((resolve) => setTimeout(resolve, 5))
  assert.deepEqual([begun, ended], [1, 1], 'who goes leaves nothing behind')
})
