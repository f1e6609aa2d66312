/**
 * The server that is measured: `start` of `cashpoint serve` as it is, its log to the null device, and two more
 * routes that only echo the body. They are the controls: what HTTP, parser, hooks, log and metrics cost.
 */
import { openSync } from 'node:fs'
import { devNull } from 'node:os'
import { setImmediate } from 'node:timers/promises'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { start } from '../src/cli/serve.ts'
import { readSettings } from '../src/cli/settings.ts'
import { sendJson } from '../src/rest/accounts.ts'
import type { Members } from '../src/rest/members.ts'
import type { Route } from '../src/rest/routes.ts'
import { openLog } from '../src/telemetry/log.ts'
import { answerBench } from './child.ts'

const echo: Route = {
  method: 'POST',
  url: '/accounts/:number/echo',
  may: 'health',
  handler: answer,
}

/**
 * A reply at a time wakes the generator at a time, which costs the control more than the echo does, while a
 * batch's replies leave together. This control has that advantage too.
 */
const echoTogether: Route = {
  method: 'POST',
  url: '/accounts/:number/echo-together',
  may: 'health',
  handler: async (request, reply) => {
    await setImmediate()
    return answer(request, reply)
  },
}

function answer(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  return sendJson(reply, writeMembers(request.body as Members))
}

function writeMembers({ sources }: Members): string {
  const members = [...sources].map(([name, source]) => `${JSON.stringify(name)}:${source}`)
  return `{${members.join(',')}}`
}

const [place = ''] = process.argv.slice(2)
const store = place.startsWith('postgres:') ? place : `sqlite:${place}`
// A rate is counted, and never reached.
const flags = ['--port', '0', '--rate-limit', '1000000', '--store', store]
const settings = readSettings([...flags, '--iso8583', 'iso87a://127.0.0.1:0'], {})
const log = openLog(settings.logLevel, openSync(devNull, 'w'))
const server = await start(settings, log, { moreRoutes: [echo, echoTogether] })
answerBench(server)
