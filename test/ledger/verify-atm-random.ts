/** Random programs of the ATM side, as journals: whatever terminals, customers and operators do, by a seed. */
import { rulesOf, sha256 } from '../../src/bank/batch.ts'
import { apply } from '../../src/ledger/apply.ts'
import { type Block, genesis, seal } from '../../src/ledger/block.ts'
import { Books, posted } from '../../src/ledger/books.ts'
import { type Command, idOf, type Outcome, type Submission } from '../../src/ledger/command.ts'
import { nameOf } from '../../src/ledger/entity.ts'
import { type Line, toLine } from '../../src/ledger/record.ts'
import { countOf } from '../../src/ledger/terminal.ts'
import { atmStepOf, cardIdOf } from '../support/atm-words.ts'
import { prng } from '../support/chance.ts'
import type { Entry } from '../support/journal.ts'
import { wordsOf } from '../support/v1-words.ts'

/** Books in memory whose commands are committed as a store would, so many in a block. */
export class Journal {
  readonly entries: Entry[] = []
  readonly books = Books.at(genesis(1))
  now = Date.UTC(2030, 0, 1)
  #head: Block = genesis(1)
  #lines: Line[] = []
  #waiting = 0
  readonly #perBlock: number
  readonly #rules = rulesOf({ adjustmentThreshold: 60 })

  constructor(perBlock = 1) {
    this.#perBlock = perBlock
  }

  submit(submission: Submission): Outcome {
    this.books.head = this.#head
    const fresh = sha256(`fresh ${this.books.sequence}`)
    const outcome = apply(this.books, { fresh, ...submission }, this.now, this.#rules)
    const records = this.books.records.splice(0)
    for (const { content, sequence, at } of records)
      if (content.kind === 'transfer')
        this.books.load({ transfer: { transfer: posted(content, idOf(sequence), at), reversed: 0 } })
    this.#lines.push(...records.map(toLine))
    this.#waiting += 1
    if (this.#waiting >= this.#perBlock) this.commit()
    return outcome
  }

  /** Ends the block, if there is anything in it. */
  commit(): void {
    const lines = this.#lines
    this.#waiting = 0
    if (lines.length === 0) return
    this.#lines = []
    this.#head = seal(this.#head, lines, { at: this.now, totals: this.books.totals(), sha256 })
    this.entries.push({ block: this.#head, lines })
  }

  /** A step of scenarios, in the words of `atm-words.ts`. */
  step(line: string, more: Partial<Submission> = {}): Outcome {
    const step = atmStepOf(wordsOf(line.split(' ')), (name) => this.ids.get(name) ?? name)
    if (step === undefined) throw new Error(`nobody knows how to ${line}`)
    return this.submit({ actor: '', ...step, ...more })
  }

  /** What steps call `x`, `e`. */
  readonly ids = new Map<string, string>()

  command(command: Command, more: Partial<Submission> = {}): Outcome {
    return this.submit({ command, actor: '', ...more })
  }
}

const units = ['C1', 'C2', 'C3']

/** `count` commands by a seed, on two terminals, two cards and three accounts. */
export function randomJournal(seed: number, count: number, perBlock = 1): Journal {
  const journal = new Journal(perBlock)
  const chance = prng(seed)
  const one = <Thing>(...things: readonly Thing[]) => things[chance(things.length)] as Thing
  const { books } = journal
  const open = (number: string, limits?: object) =>
    journal.command({
      type: 'open_account',
      number,
      currency: 'USD',
      overdraft_limit: number === 'C' ? 50 : 0,
      minimum_balance: 0,
      metadata: {},
      ...(limits && { limits }),
    })
  open('A')
  open('B', { daily_amount: 600, daily_count: 8 })
  open('C', { transaction_amount: 150 })
  for (const to of ['A', 'B', 'C'])
    journal.command({ type: 'move', from: null, to, amount: 3000, currency: 'USD' })
  journal.step('terminal T C1:50 C2:20 C3:10 D1:in R1:reject X1:retract max=300')
  journal.step('terminal U C1:50 C2:20 C3:10 D1:in notes=6')
  journal.step('card K A,B:savings pin=1234 day=900 count=12')
  journal.step('card L C,A pin=1234 policy=if_present')

  const exchangeOf = (at: string) => {
    const found = books.entity(nameOf.terminal(at))
    return found?.kind === 'terminal' ? (found.exchange?.id ?? 'x_0-0') : 'x_0-0'
  }
  for (const machine of ['T', 'U']) {
    journal.step(`exchange ${machine}`)
    journal.step(`end ${machine} ${exchangeOf(machine)} add C1=20 C2=20 C3=20`)
    journal.step(`service ${machine} on`)
  }

  const at = (act: (terminal: string) => void) => act(terminal())
  const terminal = () => one('T', 'T', 'U')
  const made: Record<string, number> = { T: 0, U: 0 }
  const fresh = (at: string) => {
    const next = (made[at] ?? 0) + 1
    made[at] = next
    return `w${chance(6) > 0 ? next : chance(next)}`
  }
  /** Mostly one that is under way. */
  const id = (at: string) => {
    const open = books.waiting(nameOf.withdrawal(at, '')).flatMap((each) => ('id' in each ? each.id : []))
    if (open.length > 0 && chance(3) > 0) return one(...open)
    return `w${1 + chance((made[at] ?? 0) + (chance(8) === 0 ? 2 : 0))}`
  }
  const openBatch = (at: string) => {
    const found = books.entity(nameOf.terminal(at))
    return found?.kind === 'terminal' ? found.batch.batch : 0
  }
  /** Numbers that come back, with or without a clock. */
  const stamp = (at: string) => {
    const stan = `00000${1 + chance(6)}`
    const local = one('', '', `112301000${chance(4)}`)
    const sent = one('', `112300000${chance(4)}`)
    const words = [
      `stan=${stan}`,
      local && `local=${local}`,
      sent && `sent=${sent}`,
      one('', '', `rrn=REF${chance(2)}`),
    ]
    return {
      id: ['iso', openBatch(at), stan, local || sent].filter(Boolean).join('-'),
      words: words.filter(Boolean).join(' '),
    }
  }
  const card = () => one('K', 'L')
  const pin = () => (chance(4) > 0 ? ' pin=1234' : one('', ' pin=9', ' pin=garbled'))
  const actor = () => one('', 'ann', 'bob')
  const notes = (most: number) => units.map((unit) => `${unit}=${chance(most)}`).join(' ')
  const withdrawalAt = (at: string, w: string) => {
    const found = books.entity(nameOf.withdrawal(at, w))
    return found?.kind === 'withdrawal' ? found : undefined
  }
  const confirm = (at: string, w: string) => {
    const other = Object.fromEntries(units.map((unit) => [unit, chance(3)]))
    const out = chance(3) > 0 ? (withdrawalAt(at, w)?.units ?? {}) : other
    const said = Object.entries(out).map(([unit, n]) => ` ${unit}=${n}`)
    const rejected = chance(6) === 0 ? ` R:${one(...units)}=1` : ''
    return `confirm ${at} ${w}${said.join('')}${rejected}${one('', '', '', '', ' outcome=unknown', ' outcome=retracted')}`
  }
  const counts = (at: string) => {
    const found = books.entity(nameOf.terminal(at))
    const kept = found?.kind === 'terminal' ? found.units : []
    return kept
      .map((unit) => {
        const off = chance(4) === 0 ? chance(3) - 1 : 0
        if (unit.type === 'cash_out') return `${unit.id}=${Math.max(0, countOf(unit) + off)}`
        const inside = { ...unit.notes, ...(chance(6) === 0 && { 20: 1 }) }
        return `${unit.id}=${Object.entries(inside).map(([value, n]) => `${value}:${n}`)}`
      })
      .join(' ')
  }
  const answers = (at: string) =>
    books
      .waiting(nameOf.withdrawal(at, ''))
      .map((each) =>
        each.kind === 'withdrawal' ? `${each.id}:${one(0, each.amount, each.amount, 10, 30)}` : '',
      )
      .join(' ')
  const exception = () => {
    const open = books.waiting('exception/').flatMap((each) => (each.kind === 'exception' ? each : []))
    return open.length > 0 ? one(...open) : undefined
  }
  const account = () => one('A', 'B', 'C')
  const keyed = () => (chance(5) === 0 ? { key: { scope: '', key: `k${chance(count)}` } } : {})

  const acts: readonly [number, () => void][] = [
    [
      14,
      () =>
        at((of) =>
          journal.step(
            `authorize ${of} ${fresh(of)} ${card()} ${10 * (1 + chance(chance(4) > 0 ? 12 : 40))}${pin()}${one('', '', ' account=B')}${one('', '', ' implicit')}`,
          ),
        ),
    ],
    [
      5,
      () =>
        at((of) => {
          const numbers = stamp(of)
          journal.step(
            `authorize ${of} ${numbers.id} ${card()} ${10 * (1 + chance(12))}${pin()} implicit ${numbers.words}${one('', '', ' again')}`,
          )
        }),
    ],
    [
      4,
      () =>
        at((of) => {
          const { words } = stamp(of)
          const says = one(
            'nothing',
            'nothing',
            `amount=${10 * chance(13)}`,
            `amount=60 C1=1 C3=1`,
            'amount=50 C2=2',
            'amount=0 outcome=unknown',
            'amount=60 C1=1 C3=1 outcome=retracted',
          )
          const numbers = `00000${1 + chance(6)}${one('', ' REF1', ' 000001')}`
          if (chance(5) === 0) {
            const original = { number: `00000${1 + chance(6)}` }
            const rejected = { [one(...units)]: chance(3) }
            const own = { terminal: of, id: `a${chance(count / 4)}` }
            journal.command({ type: 'advise', ...own, originals: [original], says: 'nothing', rejected })
          }
          journal.step(
            `advise ${of} a${chance(count / 4)} ${numbers} ${words} ${says}${one('', ` card=${card()}`)}${one('', '', ' asked=60')}${one('', '', ' of=deposit', ' of=transfer', ' of=withdrawal')}`,
          )
        }),
    ],
    [
      3,
      () =>
        at((of) => {
          // What is taken back by its reference alone, and what comes behind it with the same.
          const reference = `BY${chance(30)}`
          const told = one('', ` card=${card()}`, ` card=${card()} asked=60 of=withdrawal`)
          const says = one('nothing', 'nothing', 'amount=60 C1=1 C3=1')
          const numbers = `${reference} 00000${1 + chance(6)} rrn=${reference}`
          journal.step(`advise ${of} r${chance(count / 4)} ${numbers} ${says}${told}`)
          for (let i = chance(3); i > 0; i -= 1) {
            const { id, words } = stamp(of)
            const numbered = `${words.replace(/ rrn=.*/, '')} rrn=${reference}`
            const asked = one(
              `authorize ${of} ${id} ${card()} ${one(60, 60, 10)} implicit`,
              `send ${of} ${id} ${card()} B 60`,
            )
            journal.step(`${asked}${pin()} ${numbered}${one('', '', ' again')}`)
          }
        }),
    ],
    [
      3,
      () =>
        at((of) => {
          const { id, words } = stamp(of)
          const sides = one(account(), account(), '- to_type=checking', '- from_type=savings')
          const again = one('', ' again')
          const { reply } = journal.step(
            `send ${of} ${id} ${card()} ${sides} ${1 + chance(90)}${pin()} ${words}${again}`,
          )
          const stan = /stan=([0-9]+)/.exec(words)?.[1]
          if (reply.type === 'entity' && chance(2) === 0)
            journal.step(`advise ${of} adv-${id} ${stan} ${words} nothing`)
        }),
    ],
    [
      1,
      () =>
        at((of) => {
          const { id, words } = stamp(of)
          journal.step(
            `repin ${of} ${id} ${card()}${pin()}${one('', ' new=1234')} ${words}${one('', ' again')}`,
          )
        }),
    ],
    [
      1,
      () =>
        at((of) => journal.step(`feed ${of} ${stamp(of).id} card=${card()} 50:1${pin()} ${stamp(of).words}`)),
    ],
    [
      1,
      () =>
        at((of) =>
          journal.step(
            `close ${of} ${openBatch(of)} ${stamp(of).words}${one('', ' net=-60', ' told=withdrawals:1:60,deposits:0:0')}`,
          ),
        ),
    ],
    [8, () => at((of) => journal.step(`start ${of} ${id(of)}`))],
    [10, () => at((of) => journal.step(confirm(of, id(of))))],
    [3, () => at((of) => journal.step(`undo ${of} ${id(of)}`))],
    [3, () => at((of) => journal.step(`expire ${of} ${id(of)}`))],
    [2, () => journal.step(`inquire ${terminal()} ${card()}${pin()}`, keyed())],
    [3, () => journal.step(`feed ${terminal()} d${chance(count / 8)} ${account()} 50:${chance(3)} 20:1`)],
    [1, () => journal.step(`feed ${terminal()} d${chance(count / 8)} card=${card()} 50:1${pin()}`)],
    [3, () => journal.step(`unfeed ${terminal()} d${chance(count / 8)}`)],
    [
      2,
      () =>
        journal.step(
          `send ${terminal()} s${chance(count / 8)} ${card()} ${account()} ${1 + chance(90)}${pin()}`,
        ),
    ],
    [1, () => journal.step(`repin ${terminal()} p${chance(count)} ${card()} pin=1234 new=1234`)],
    [2, () => journal.step(`close ${terminal()} ${1 + chance(6)}`, keyed())],
    [2, () => journal.step(`service ${terminal()} ${one('on', 'on', 'on', 'off')}`, keyed())],
    [1, () => journal.step(`sign ${terminal()} ${one('on', 'off')}`, keyed())],
    [
      3,
      () => {
        const at = one('T', 'U')
        journal.step(`exchange ${at}`, keyed())
        if (chance(3) > 0) journal.step(`count ${at} ${exchangeOf(at)} ${counts(at)}`, keyed())
      },
    ],
    [
      6,
      () => {
        const at = one('T', 'U')
        const mode = one('set', 'set', 'add')
        journal.step(`end ${at} ${exchangeOf(at)} ${mode} ${notes(12)} ${answers(at)}`.trim(), keyed())
        journal.step(`service ${at} on`)
      },
    ],
    [
      6,
      () => {
        const found = exception()
        if (found === undefined) return
        const money = found.withdrawal !== undefined && chance(8) > 0
        const left = one(0, found.amount, found.amount, 10, 25, 50)
        const dispensed = money ? ` dispensed=${left}` : ''
        const by = actor()
        journal.step(`resolve ${found.id}${dispensed} by=${by}`, { actor: by, ...keyed() })
      },
    ],
    [
      2,
      () => {
        const kcv = one('AAAAAA', 'BBBBBB', 'CCCCCC')
        const key = { algorithm: 'tdes', wrapped: `w${kcv}`, kcv } as const
        journal.command({ type: 'set_pin_key', terminal: terminal(), key })
        const of = { terminal: terminal() }
        if (chance(3) > 0) journal.command({ type: 'set_mac_key', ...of, ...(chance(4) > 0 && { key }) })
        else journal.command({ type: 'retire_mac_key', ...of, wrapped: key.wrapped })
      },
    ],
    [
      2,
      () => {
        const references = one(['h1:x'], [`h1:${cardIdOf('L')}:1234`])
        const pin = { references, decoded: true, key: chance(2) }
        journal.step(`inquire ${terminal()} L`, { pin })
      },
    ],
    [1, () => journal.step(`block ${card()} blocked`)],
    [3, () => journal.step(`unblock ${card()}`, keyed())],
    [1, () => journal.step(`setpin ${card()} 1234`)],
    [
      1,
      () => {
        const limits = one(
          {},
          { daily_amount: 200 },
          { daily_count: 9 },
          { daily_amount: 900, daily_count: 20 },
        )
        journal.command({ type: 'set_limits', account: account(), limits })
      },
    ],
    [
      2,
      () => {
        const state =
          chance(20) === 0
            ? 'closed'
            : one('active', 'active', 'active', 'frozen', 'debit_blocked', 'credit_blocked')
        journal.command({ type: 'set_state', account: account(), state, reason: 'r' } as Command)
      },
    ],
    [
      1,
      () => {
        const amount = 10 * (1 + chance(30))
        journal.command({ type: 'move', from: account(), to: null, amount, currency: 'USD' } as Command)
      },
    ],
    [3, () => journal.command({ type: 'move', from: null, to: account(), amount: 300, currency: 'USD' })],
    [
      1,
      () => {
        const amount = 1 + chance(60)
        journal.command({
          type: 'hold',
          account: account(),
          amount,
          currency: 'USD',
          expires_in_s: one(30, 4000),
        })
      },
    ],
    [
      6,
      () => {
        journal.now += one(1, 1000, 30_000, 61_000, 301_000, 3_600_000, 40_000_000, -5000)
      },
    ],
  ]
  const weights = acts.reduce((sum, [weight]) => sum + weight, 0)
  for (let step = 0; step < count; step += 1) {
    // Most of what stands in the way of customers does not for long.
    if (chance(4) === 0) {
      const found = books.account(account())
      if (found !== undefined && found.state !== 'active')
        journal.command({ type: 'set_state', account: found.number, state: 'active', reason: 'r' })
      journal.step(`service ${terminal()} on`)
      journal.step(`unblock ${card()}`)
    }
    let left = chance(weights)
    const act = acts.find(([weight]) => {
      left -= weight
      return left < 0
    })
    act?.[1]()
  }
  journal.commit()
  return journal
}
