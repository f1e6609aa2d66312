/** Figures for Prometheus. Names and labels are few and fixed, so that no client can make more of them. */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import { Hour } from './hour.ts'

export class Metrics {
  /** The same of commits as people look at it, where no Prometheus is. */
  readonly hour: Hour
  readonly #registry = new Registry()
  readonly #requests = new Histogram({
    name: 'cashpoint_http_request_seconds',
    help: 'Requests by method, route and status: how many, and how long they took.',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 2.5, 10],
    registers: [this.#registry],
  })
  readonly #batch = new Histogram({
    name: 'cashpoint_batch_commands',
    help: 'Commands in one commit.',
    buckets: [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1000],
    registers: [this.#registry],
  })
  readonly #commit = new Histogram({
    name: 'cashpoint_commit_seconds',
    help: 'From handing a batch to the store to its answer.',
    buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 1, 10],
    registers: [this.#registry],
  })
  readonly #messages = new Counter({
    name: 'cashpoint_iso8583_messages_total',
    help: 'Messages of ISO 8583 by their type and what they were answered.',
    labelNames: ['type', 'answer'],
    registers: [this.#registry],
  })
  readonly #errors = new Counter({
    name: 'cashpoint_command_errors_total',
    help: 'Commands that failed for a reason of ours.',
    registers: [this.#registry],
  })
  /** By route, method and status, those seen so far: looking labels up here is cheaper than in the histogram. */
  readonly #seen = new Map<string, Map<string, Map<number, { observe(seconds: number): void }>>>()

  /** `now` is the wall clock. Milliseconds. */
  constructor(now: () => number) {
    this.hour = new Hour(now)
    collectDefaultMetrics({ register: this.#registry })
  }

  get contentType(): string {
    return this.#registry.contentType
  }

  read(): Promise<string> {
    return this.#registry.metrics()
  }

  onResponse(method: string, route: string, status: number, ms: number): void {
    const ofRoute = inserted(this.#seen, route, () => new Map())
    const ofMethod = inserted(ofRoute, method, () => new Map())
    inserted(ofMethod, status, () => this.#requests.labels(method, route, String(status))).observe(ms / 1000)
  }

  onCommit(size: number, ms: number): void {
    this.#batch.observe(size)
    this.#commit.observe(ms / 1000)
    this.hour.add(size, ms)
  }

  /** Types are four digits of whoever connects: those that nobody has are counted as one. */
  onMessage(type: string, answer: string): void {
    this.#messages.inc({ type: /^0[1-8][0-4][01]$/.test(type) ? type : 'other', answer })
  }

  onError(): void {
    this.#errors.inc()
  }

  /** Figures that are read when they are asked for. */
  gauge(name: string, help: string, read: () => number | Promise<number>): void {
    new Gauge({
      name: `cashpoint_${name}`,
      help,
      registers: [this.#registry],
      async collect() {
        this.set(await read())
      },
    })
  }
}

/** The value of a key, made where there is none yet. */
function inserted<Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value {
  let value = map.get(key)
  if (value === undefined) {
    value = make()
    map.set(key, value)
  }
  return value
}
