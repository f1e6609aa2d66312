/** The journal's chain over /v1: what a page of blocks says, where it goes on, and what is refused. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { assertRefused, serveV1 } from './v1-support.ts'

type Block = {
  readonly number: number
  readonly writer: number
  readonly at: string
  readonly records: number
  readonly first_record: string
  readonly last_record: string
  readonly hash: string
  readonly previous_hash: string
  readonly previous_number: number | null
}

const v1 = await serveV1({ after })
// Two accounts and a deposit are three blocks; these are two more, of three records and of one.
const operations = [1, 2, 3].map((amount) => ({ type: 'deposit', account: 'A', amount, currency: 'USD' }))
await v1.post('/batches', { operations })
await v1.move('A', 'B', 5)

async function blocksAt(
  path: string,
): Promise<{ blocks: Block[]; next: string | null; link: string | null }> {
  const { status, body, headers } = await v1.get(path)
  assert.equal(status, 200)
  const { blocks, next_cursor } = body as unknown as { blocks: Block[]; next_cursor: string | null }
  return { blocks, next: next_cursor, link: headers.get('link') }
}

const numbersAt = async (path: string) => (await blocksAt(path)).blocks.map(({ number }) => number)

test('blocks come newest first, each linked to the one before, and the newest is the head', async () => {
  const { blocks, next, link } = await blocksAt('/journal/blocks')
  assert.deepEqual([next, link], [null, null])
  const [newest, batch] = blocks
  const { head } = (await v1.prove('')) as { head: string }
  assert.equal(newest?.hash, head, 'what verify finds')
  assert.deepEqual([batch?.number, batch?.records], [(newest?.number ?? 0) - 1, 3])
  const { writer } = newest as Block
  const sequences = [batch?.first_record, batch?.last_record].map((id) => Number(id?.split('-')[1]))
  assert.deepEqual(batch?.last_record, `${writer}-${sequences[1]}`)
  assert.equal((sequences[1] ?? 0) - (sequences[0] ?? 0), 2)
  for (const [i, block] of blocks.entries()) {
    const before = blocks[i + 1]
    assert.equal(block.previous_hash, before?.hash ?? '0'.repeat(64))
    assert.equal(block.previous_number, before?.number ?? null)
    const first = before === undefined ? 1 : Number(before.last_record.split('-')[1]) + 1
    assert.equal(block.first_record, `${writer}-${first}`)
  }
  const { body } = await v1.get('/journal/heads')
  assert.deepEqual(body, { heads: [newest] })
})

test('pages join without a gap, by cursor as by Link, also below a number', async () => {
  const all = await numbersAt('/journal/blocks')
  assert.equal(all.at(-1), 1)
  for (const query of ['limit=2', `limit=2&to=${all.length - 1}`]) {
    const found: number[] = []
    for (let path: string | null = `/journal/blocks?${query}`; path !== null; ) {
      const { blocks, next, link }: Awaited<ReturnType<typeof blocksAt>> = await blocksAt(path)
      found.push(...blocks.map(({ number }) => number))
      assert.equal(link === null, next === null)
      const linked = link && /^<\/v1([^>]*)>; rel="next"$/.exec(link)?.[1]
      if (next !== null) assert.equal(new URLSearchParams(linked?.split('?')[1]).get('cursor'), next)
      path = linked ?? null
    }
    assert.deepEqual(found, query.includes('to=') ? all.slice(1) : all)
  }
  assert.deepEqual(await numbersAt('/journal/blocks?to=1'), [1])
  assert.deepEqual(await numbersAt(`/journal/blocks?to=${2 ** 53 - 2}&limit=1`), all.slice(0, 1))
  const { next } = await blocksAt('/journal/blocks?limit=1')
  assert.deepEqual(await numbersAt(`/journal/blocks?cursor=${next}&to=2`), [2, 1], 'whichever is less')
})

test('a cursor that no page gave, and figures that are none, are refused by name', async () => {
  for (const cursor of ['x', 'MA', Buffer.from('1-7').toString('base64url'), ''])
    assertRefused(await v1.get(`/journal/blocks?cursor=${cursor}`), 400, 'page_invalid')
  for (const [query, name] of [
    ['limit=0', 'limit'],
    ['limit=1001', 'limit'],
    ['limit=x', 'limit'],
    ['to=0', 'to'],
    ['to=x', 'to'],
    [`to=${2 ** 53 - 1}`, 'to'],
    ['to=1&to=2', 'to'],
  ]) {
    const refused = await v1.get(`/journal/blocks?${query}`)
    assertRefused(refused, 400, 'invalid_request')
    assert.match(String(refused.body['detail']), new RegExp(`^${name} must be`))
  }
})

test('whoever may not prove the books sees no blocks', async (t) => {
  const own = await serveV1(t)
  await own.useKey('admin')
  const { key } = (await own.post('/credentials', { role: 'teller', name: 'tim' })).body
  const asTeller = { authorization: `Bearer ${key}` }
  for (const path of ['/journal/blocks', '/journal/heads']) {
    assertRefused(await own.get(path, asTeller), 403, 'forbidden')
    assertRefused(await own.get(path, { authorization: 'Bearer nobody' }), 401, 'unauthenticated')
    assert.equal((await own.get(path)).status, 200)
  }
})
