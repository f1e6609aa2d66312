/** What the page knows, and what each thing that happens on it does: between the views, the machine and the host. */
import { Cashpoint } from '../../../client/client.ts'
import type { Messages } from '../messages/messages.ts'
import { type Money, moneyIn } from '../money.ts'
import { ask } from '../wire.ts'
import { type Books, blank } from './books.ts'
import { type Card, cards, demoPin, terminalId } from './cards.ts'
import { type Atm, type AtmEvent, empty, type Result, step, type Wish } from './machine.ts'
import type { Terminal } from './shapes.ts'
import { type Fault, perform, settle, unlock } from './teller.ts'

export type App = {
  readonly atm: Atm
  readonly books: Books
  /** Whose money the books are about: the last card that was in. */
  readonly holder: Card | undefined
  readonly terminal: Terminal | undefined
  /** Why there is none. */
  readonly trouble: 'missing' | 'unreachable' | undefined
  /** What is booked on the customers' accounts. */
  readonly balances: Readonly<Record<string, number>>
  /** As they stand on the sticky note. */
  readonly pins: Readonly<Record<string, string>>
  readonly fault: Fault | undefined
  /** Which line was copied last. */
  readonly copied: string | undefined
}

export type Actions = {
  send(event: AtmEvent): void
  toggle(fault: Fault): void
  copy(line: string): void
  settle(dispensed: number): void
  unlock(): void
}

type Options = {
  readonly messages: Messages
  /** Nothing on the page moves: people who do not want it need not wait for it either. */
  readonly still: boolean
  draw(app: App, money: Money, actions: Actions): void
}

const copiedMs = 1_600
/** How soon a machine that is out of service is looked at again. */
const againMs = 3_000

export function startApp({ messages, still, draw }: Options): void {
  const client = new Cashpoint({ url: location.origin, retryMs: 5_000 })
  let again: ReturnType<typeof setTimeout> | undefined
  let money = moneyIn('USD', messages.language)
  let app: App = {
    atm: empty,
    books: blank,
    holder: undefined,
    terminal: undefined,
    trouble: undefined,
    balances: {},
    pins: {},
    fault: undefined,
    copied: undefined,
  }
  const change = (part: Partial<App>) => {
    app = { ...app, ...part }
    draw(app, money, actions)
  }
  const tools = () => ({
    client,
    messages,
    money,
    pause: (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, still ? ms / 5 : ms)),
    onBooks,
    onPhase: (phase: Parameters<Parameters<typeof perform>[2]['onPhase']>[0]) =>
      actions.send({ type: 'phase', phase }),
  })

  const actions: Actions = {
    send(event) {
      const before = app.atm
      const atm = step(before, event, money.ofWhole)
      if (atm === before) return
      change({ atm, ...(event.type === 'insert' && { holder: event.card, books: blank }) })
      const { screen } = atm
      const began = screen.at === 'working' && before.screen.at !== 'working'
      if (began) work(screen.wish)
    },
    toggle: (fault) => change({ fault: app.fault === fault ? undefined : fault }),
    copy(line) {
      navigator.clipboard.writeText(line).then(() => {
        change({ copied: line })
        setTimeout(() => app.copied === line && change({ copied: undefined }), copiedMs)
      })
    },
    settle(dispensed) {
      const { holder, books } = app
      const exception = books.story?.exception
      if (holder === undefined || exception === undefined) return
      settle(books, { exception: exception.id, dispensed, holder: holder.holder }, tools()).then(readTerminal)
    },
    unlock() {
      const card = app.books.story?.card
      if (card !== undefined) unlock(app.books, card, tools())
    },
  }

  change({})
  readAll()
  // Others may have been at the machine meanwhile.
  document.addEventListener('visibilitychange', () => document.visibilityState === 'visible' && readAll())

  async function work(wish: Wish): Promise<void> {
    const { card, pin } = app.atm
    if (card === undefined) return
    const fault = wish.type === 'withdraw' ? app.fault : undefined
    const currency = app.terminal?.currency ?? 'USD'
    const result = await perform(wish, { card, pin, currency, fault }, tools()).catch((error): Result => {
      reportError(error)
      return { type: 'refused', problem: { code: 'failed', title: String(error) } }
    })
    if (fault !== undefined && result.type !== 'refused') change({ fault: undefined })
    if (result.type === 'pin_changed') change({ pins: { ...app.pins, [card.account]: result.pin } })
    actions.send({ type: 'result', result })
  }

  function onBooks(books: Books): void {
    const isNew = books.transfers.length > app.books.transfers.length
    const after = books.transfers.flatMap(({ balances }) => balances)
    const figures = Object.fromEntries(after.map(({ account, ledger }) => [account, ledger]))
    change({ books, balances: isNew ? { ...app.balances, ...figures } : app.balances })
    if (isNew) readTerminal()
  }

  async function readAll(): Promise<void> {
    await readTerminal()
    const read = cards.map(({ account }) =>
      client.account(account).then(({ ledger }) => [account, ledger] as const),
    )
    const found = (await Promise.allSettled(read)).flatMap((one) =>
      one.status === 'fulfilled' ? [one.value] : [],
    )
    change({ balances: { ...Object.fromEntries(found), ...app.balances } })
  }

  async function readTerminal(): Promise<void> {
    await readState()
    clearTimeout(again)
    if (app.terminal?.state !== 'in_service' || app.trouble !== undefined)
      again = setTimeout(readAll, againMs)
  }

  async function readState(): Promise<void> {
    try {
      const answer = await ask({ method: 'GET', path: `/v1/terminals/${terminalId}` })
      if (answer.status !== 200)
        return change({ terminal: undefined, trouble: answer.status === 404 ? 'missing' : 'unreachable' })
      const terminal = answer.body as Terminal
      money = moneyIn(terminal.currency, messages.language)
      change({ terminal, trouble: undefined })
    } catch {
      change({ trouble: 'unreachable' })
    }
  }
}

export function pinOf({ pins, atm }: App): string {
  return (atm.card && pins[atm.card.account]) ?? demoPin
}
