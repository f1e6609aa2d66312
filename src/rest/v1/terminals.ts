/** Terminals: make, read, put in and out of service, and give their keys. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Static } from 'typebox'
import type { Bank } from '../../bank/bank.ts'
import type { Outcome } from '../../ledger/command.ts'
import { nameOf } from '../../ledger/entity.ts'
import type { Terminal } from '../../ledger/terminal.ts'
import { ProblemError } from '../problem.ts'
import { outcomeById } from '../submit.ts'
import { currencyKnown } from './commands.ts'
import { overShortOf, pagingOfEntities, readTerminal, sendEntities, terminalIn } from './entities.ts'
import { terminalBody } from './render-atm.ts'
import { answer, send, submit, type V1Route } from './route.ts'
import * as schemas from './schemas.ts'
import type { Secrets } from './secrets.ts'
import { demandBody } from './validation.ts'

const usual = { mix: 'minimumBills', max_notes: 40, start_within_s: 60, confirm_within_s: 300 } as const
const ofKeys = ['terminal_not_found', 'clear_pin_disabled', 'kcv_mismatch', 'card_keys_missing'] as const

export function terminalRoutes(bank: Bank, secrets: Secrets): V1Route[] {
  return [
    {
      method: 'POST',
      url: '/v1/terminals',
      may: 'create_terminals',
      summary: 'Make a terminal, out of service and with nothing in its units',
      body: schemas.createTerminal,
      replies: { 201: schemas.terminalReply },
      problems: ['terminal_exists', 'units_invalid'],
      handler: create,
    },
    {
      method: 'GET',
      url: '/v1/terminals',
      may: 'read_terminals',
      summary: 'List terminals by id; a terminal gets itself',
      query: pagingOfEntities,
      replies: { 200: schemas.terminalsReply },
      problems: ['page_invalid'],
      handler: async (request, reply) => {
        const { role, person } = request.caller
        return sendEntities(bank, request, reply, {
          plural: 'terminals',
          prefix: nameOf.terminal(role === 'terminal' ? person : ''),
          wanted: (entity) => role !== 'terminal' || (entity as Terminal).id === person,
          body: (entity) => bodyOf(entity as Terminal),
        })
      },
    },
    {
      method: 'GET',
      url: '/v1/terminals/:terminal',
      may: 'read_terminals',
      own: true,
      summary: 'Read a terminal: its state, its units and its money',
      replies: { 200: schemas.terminalReply },
      problems: ['terminal_not_found'],
      handler: async (request, reply) => {
        const terminal = await readTerminal(bank, terminalIn(request))
        return send(reply, { status: 200, body: await bodyOf(terminal) })
      },
    },
    {
      method: 'POST',
      url: '/v1/terminals/:terminal/state',
      may: 'serve_terminals',
      summary: 'Put a terminal in or out of service',
      body: schemas.setTerminalState,
      replies: { 200: schemas.terminalReply },
      problems: ['terminal_not_found', 'exchange_open'],
      handler: (request, reply) => {
        const body = request.body as Static<typeof schemas.setTerminalState>
        return submit(bank, request, reply, {
          type: 'set_terminal_state',
          terminal: terminalIn(request),
          ...body,
        })
      },
    },
    {
      method: 'PUT',
      url: '/v1/terminals/:terminal/pin-key',
      may: 'create_terminals',
      keyed: 'never',
      summary:
        'Give a terminal the key of its PIN blocks; the one before is good until a block comes under this one',
      body: schemas.terminalKey,
      replies: { 204: schemas.nothing },
      problems: ofKeys,
      handler: setPinKey,
    },
    {
      method: 'PUT',
      url: '/v1/terminals/:terminal/mac-key',
      may: 'create_terminals',
      keyed: 'never',
      summary:
        'Give a terminal the key of the MACs that its ISO 8583 messages must carry then, or none; the one before is good until a MAC was right under this one',
      body: schemas.setMacKey,
      documented: schemas.macKeyDocumented,
      replies: { 204: schemas.nothing },
      problems: ofKeys,
      handler: setMacKey,
    },
  ]

  async function create(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const plan = request.body as Plan
    const wrong = whatIsWrong(plan)
    if (wrong !== undefined) throw new ProblemError('invalid_request', wrong)
    const { currency, require_sign_on = false, ...body } = plan
    return submit(bank, request, reply, {
      type: 'create_terminal',
      ...usual,
      ...body,
      currency: currencyKnown(currency),
      require_sign_on,
    })
  }

  async function setPinKey(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const terminal = terminalIn(request)
    const key = secrets.wrap({ terminal, use: 'pin-key' }, request.body as Key)
    return given(reply, await outcomeById(bank, request, { type: 'set_pin_key', terminal, key }))
  }

  async function setMacKey(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const terminal = terminalIn(request)
    const isNone = (request.body as Static<typeof schemas.setMacKey>).algorithm === 'none'
    demandBody(request, isNone ? schemas.noKey : schemas.terminalKey)
    const key = isNone ? {} : { key: secrets.wrap({ terminal, use: 'mac-key' }, request.body as Key) }
    return given(reply, await outcomeById(bank, request, { type: 'set_mac_key', terminal, ...key }))
  }

  async function bodyOf(terminal: Terminal): Promise<object> {
    return terminalBody(terminal, await overShortOf(bank, terminal.id))
  }
}

function given(reply: FastifyReply, outcome: Outcome): FastifyReply {
  return outcome.reply.type === 'refused' ? answer(reply, outcome) : reply.code(204).send()
}

type Key = Static<typeof schemas.terminalKey>
type Plan = Static<typeof schemas.createTerminal>

/** What no schema says of units: each is one, and of those that pay out the notes have a value, as of no other. */
function whatIsWrong({ units }: Plan): string | undefined {
  const ids = units.map(({ id }) => id)
  const twice = ids.findIndex((id, i) => ids.indexOf(id) < i)
  if (twice >= 0) return `units.${twice}.id is the one of another unit`
  const odd = units.findIndex(({ type, value }) => (type === 'cash_out') !== (value !== undefined))
  if (odd < 0) return undefined
  return `units.${odd}.value must be there for cash_out, and for no other type`
}
