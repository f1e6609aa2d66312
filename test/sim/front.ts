/**
 * The real HTTP application over a bank that can be exchanged: what a crash ends is the bank, its queue and all that
 * waits there. The routes keep nothing between two requests, and making them anew costs as much as a whole run.
 */
import type { FastifyInstance } from 'fastify'
import pino from 'pino'
import { Access } from '../../src/access/access.ts'
import { Bank } from '../../src/bank/bank.ts'
import { systemClock } from '../../src/bank/clock.ts'
import type { Webhooks } from '../../src/bank/webhooks.ts'
import { createServer } from '../../src/rest/server.ts'
import { MemoryStore } from '../../src/stores/memory/store.ts'
import { Metrics } from '../../src/telemetry/metrics.ts'
import { Vault } from '../../src/vault/vault.ts'
import type { Watch } from '../../src/watch/watch.ts'
import { bankBehind } from '../support/bank-behind.ts'

// Of no use elsewhere.
const key = Buffer.alloc(32, 7)

export type Sent = {
  readonly method: 'GET' | 'POST' | 'PUT'
  readonly path: string
  readonly body?: string
  readonly key?: string
  /** The `X-Request-Id`. */
  readonly id: string
}

export type Answer = { readonly status: number; readonly replayed: boolean; readonly text: string }

export class Front {
  /** Whoever is asked now. */
  bank: Bank = new Bank(new MemoryStore(), systemClock)
  #app!: FastifyInstance

  static async open(): Promise<Front> {
    const front = new Front()
    const bank = bankBehind(() => front.bank)
    front.#app = await createServer({
      bank,
      access: new Access(bank, systemClock, { demo: true, perCredential: 0, perAddress: 0 }),
      // No webhook is made here, and nothing asks for one.
      webhooks: {} as Webhooks,
      log: pino({ level: 'silent' }),
      metrics: new Metrics(systemClock.now),
      // As little.
      watch: {} as Watch,
      currency: 'USD',
      vault: new Vault({ pan: [key], pin: [key], wrap: [key] }),
      draining: () => false,
    })
    await front.#app.ready()
    return front
  }

  async ask({ method, path, body, key, id }: Sent): Promise<Answer> {
    const headers = {
      'x-request-id': id,
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...(key !== undefined && { 'idempotency-key': key }),
    }
    const more = body === undefined ? {} : { payload: body }
    const answer = await this.#app.inject({ method, url: path, headers, ...more })
    const replayed = answer.headers['idempotency-replayed'] === 'true'
    return { status: answer.statusCode, replayed, text: answer.payload }
  }

  close(): Promise<void> {
    return this.#app.close()
  }
}
