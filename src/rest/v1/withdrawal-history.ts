/** What happened to a withdrawal, from the request on: every record about it and its exceptions, and what they posted. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Bank } from '../../bank/bank.ts'
import { isAtm } from '../../ledger/atm-records.ts'
import type { RecordId } from '../../ledger/command.ts'
import { nameOf } from '../../ledger/entity.ts'
import type { Content } from '../../ledger/record.ts'
import { ProblemError } from '../problem.ts'
import { namesIn } from './audit.ts'
import { readTerminal, terminalIn } from './entities.ts'
import { tellAtm } from './event-atm.ts'
import { paramOf, send, type V1Route } from './route.ts'
import * as schemas from './schemas.ts'
import { timeOf } from './time.ts'

// Some 300 KB. A withdrawal has three records, or five.
const recordsMax = 1_000

export function withdrawalHistoryRoute(bank: Bank): V1Route {
  return {
    method: 'GET',
    url: '/v1/terminals/:terminal/withdrawals/:withdrawal/history',
    may: 'read_terminals',
    own: true,
    summary: 'What happened to a withdrawal, oldest first: who asked, what was decided, and what it posted',
    replies: { 200: schemas.historyReply },
    problems: ['terminal_not_found', 'withdrawal_not_found'],
    handler,
  }

  async function handler(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const { id } = await readTerminal(bank, terminalIn(request))
    const name = nameOf.withdrawal(id, paramOf(request, 'withdrawal'))
    const own = await bank.about([name], recordsMax + 1)
    if (own.length === 0) throw new ProblemError('withdrawal_not_found')
    const exceptions = own.flatMap(({ content }) =>
      content.kind === 'exception_opened' ? [nameOf.exception(content.exception)] : [],
    )
    const records = exceptions.length === 0 ? own : await bank.about([name, ...exceptions], recordsMax + 1)
    const nameOfActor = namesIn(bank)
    // What settles a withdrawal may settle its exception with it, by the same transfers.
    const told = new Set<RecordId>()
    const history = []
    for (const record of records.slice(0, recordsMax)) {
      const ids = transfersIn(record.content).filter((id) => !told.has(id))
      for (const id of ids) told.add(id)
      const { at, actor, content } = record
      history.push({
        at: timeOf(at),
        kind: content.kind,
        record: record.id,
        by: { actor, name: nameOfActor(actor) },
        detail: detailOf(content),
        transfers: await Promise.all(ids.map(transferBody)),
      })
    }
    return send(reply, { status: 200, body: { history, more: records.length > recordsMax } })
  }

  async function transferBody(id: RecordId): Promise<object> {
    const page = await bank.transfer(id)
    if (page === undefined) throw new Error(`a record names transfer ${id}, which is not there`)
    const { debit, credit, amount, currency } = page.transfer
    return { id, debit, credit, amount, currency }
  }
}

function transfersIn(content: Content): readonly RecordId[] {
  switch (content.kind) {
    case 'withdrawal_authorized':
      return [content.transfer]
    case 'withdrawal_settled':
    case 'exception_resolved':
      return content.transfers
    default:
      return []
  }
}

/** What an event says of it, where there is one; when its message was sent by the machine's clock; and how an advice went. */
function detailOf(content: Content): object {
  const {
    terminal: _,
    withdrawal: __,
    transfer: ___,
    transfers: ____,
    balances: _____,
    ...told
  } = dataOf(content)
  return {
    ...told,
    ...('local' in content && content.local !== undefined && { local: content.local }),
    ...('sent' in content && content.sent !== undefined && { sent: content.sent }),
    ...('advice' in content && content.advice !== undefined && { advice: content.advice.split(' ', 1)[0] }),
  }
}

function dataOf(content: Content): Readonly<Record<string, unknown>> {
  switch (content.kind) {
    case 'withdrawal_forestalled': {
      const { amount, account = null, card = null, last4 = null, batch, stan, rrn } = content
      const numbers = { ...(stan !== undefined && { stan }), ...(rrn !== undefined && { rrn }) }
      return { amount, account, card, last4, batch, ...numbers }
    }
    case 'exception_waits': {
      const { exception, word } = content
      const { dispensed = null, reason, person } = word
      return { exception, dispensed, reason, by: person }
    }
    default:
      return isAtm(content) ? { ...tellAtm(content)?.data } : {}
  }
}
