/** The chain that proves the journal: its blocks, newest first, and where each writer's ends. */
import type { Bank } from '../../bank/bank.ts'
import type { ListedBlock } from '../../bank/store.ts'
import { idOf } from '../../ledger/command.ts'
import { isNumber, nextCursor, pageIn, paging } from './pages.ts'
import { send, type V1Route } from './route.ts'
import * as schemas from './schemas.ts'
import { timeOf } from './time.ts'
import { queryOf, wholeIn } from './validation.ts'

const numberMax = Number.MAX_SAFE_INTEGER

export function journalRoutes(bank: Bank): V1Route[] {
  return [
    {
      method: 'GET',
      url: '/v1/journal/blocks',
      may: 'prove',
      summary: 'Blocks of the journal, newest first, each with its hash and that of the one before',
      query: { ...paging, to: schemas.lastBlock },
      replies: { 200: schemas.blocksReply },
      problems: ['page_invalid'],
      handler: async (request, reply) => {
        const { limit, after = numberMax } = pageIn(request, isNumber)
        const to = wholeIn(queryOf(request), 'to', { min: 1, max: numberMax - 1 }) ?? numberMax - 1
        const found = await bank.blocks({ limit, before: Math.min(to + 1, Number(after)) })
        const last = found.at(-1)?.number
        const next_cursor = nextCursor(request, reply, { limit, last: last === 1 ? undefined : last })
        return send(reply, { status: 200, body: { blocks: found.map(blockBody), next_cursor } })
      },
    },
    {
      method: 'GET',
      url: '/v1/journal/heads',
      may: 'prove',
      summary: 'The newest block of each writer, whose hash covers all that this writer wrote',
      replies: { 200: schemas.headsReply },
      problems: [],
      handler: async (_, reply) => {
        const heads = (await bank.heads()).map(blockBody)
        return send(reply, { status: 200, body: { heads } })
      },
    },
  ]
}

function blockBody(block: ListedBlock): object {
  const { number, writer, sequence, at, first, last, hash, previous, previousNumber } = block
  return {
    number,
    writer,
    sequence,
    at: timeOf(at),
    records: last - first + 1,
    first_record: idOf(first, writer),
    last_record: idOf(last, writer),
    hash,
    previous_hash: previous,
    previous_number: previousNumber,
  }
}
