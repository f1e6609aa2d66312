/**
 * Proves the ATM side, record by record: recomputes terminals with their notes, withdrawals, cards and exceptions, and
 * compares. Transfers stand before the record that says what they are of; until it comes they are owed one. It shares
 * no code with `apply` or the books.
 */
import type {
  AtmContent,
  BatchClosed,
  CardChanged,
  ExceptionOpened,
  ExceptionResolved,
  ExceptionWaits,
  OperationDeclined,
  OperationDone,
  OperationReversed,
  TerminalChanged,
  TerminalCreated,
  WithdrawalAuthorized,
  WithdrawalForestalled,
  WithdrawalSettled,
  WithdrawalStarted,
} from './atm-records.ts'
import type { RecordId } from './command.ts'
import type { Day } from './limits.ts'
import type { Content, Transfer } from './record.ts'
import { accountsOfTerminal, type Batch, isTerminalAccount, type TerminalId } from './terminal.ts'
import type { State } from './verify.ts'
import {
  cardChanged,
  cardIssued,
  type Given,
  judgeCardChanged,
  judgeIssued,
  judgeTerminalChanged,
  triesGivenBack,
} from './verify-atm-card.ts'
import {
  batchClosed,
  exchangeEnded,
  judgeClosed,
  judgeCounted,
  judgeCreated,
  judgeEnded,
  offBalance,
  terminalCreated,
  unitsWith,
  worthOf,
} from './verify-atm-cash.ts'
import { isOfMoney, judgeOpened, judgeResolved, judgeSecond, judgeWaits } from './verify-atm-exception.ts'
import {
  type Around,
  isCount,
  isUnderWay,
  type KnownCard,
  type KnownException,
  type KnownOperation,
  type KnownTerminal,
  type KnownWithdrawal,
  summed,
  type Units,
} from './verify-atm-known.ts'
import { judgeDone, judgeOperationDeclined, judgeReversed } from './verify-atm-operation.ts'
import { ReferenceVerifier } from './verify-atm-reference.ts'
import { TraceVerifier } from './verify-atm-trace.ts'
import {
  accountsIn,
  isCustomer,
  isOfAtm,
  isPath,
  ofTerminals,
  operationOf,
  transfersOf,
} from './verify-atm-transfer.ts'
import {
  batchSettled,
  isId,
  judgeAuthorized,
  judgeBatch,
  judgeDeclined,
  judgeForestalledFor,
  judgeSettled,
  notesLeft,
  unitsSettled,
} from './verify-atm-withdrawal.ts'

/** What the next record must be, since the one before is not complete without it. */
type Due = { readonly what: string; fits(content: Content): boolean }

export class AtmVerifier {
  readonly #terminals = new Map<TerminalId, KnownTerminal>()
  readonly #cards = new Map<string, KnownCard>()
  /** By terminal and id, as transfers name them; never used twice. */
  readonly #withdrawals = new Map<string, KnownWithdrawal>()
  readonly #operations = new Map<string, KnownOperation>()
  readonly #exceptions = new Map<string, KnownException>()
  readonly #batches = new Map<string, Batch>()
  readonly #traces = new TraceVerifier()
  readonly #references = new ReferenceVerifier()
  #demo: { readonly ended: boolean } | undefined
  /** Transfers of an operation whose record is to come. */
  #moved: { readonly id: RecordId; readonly transfer: Transfer }[] = []
  /** Accounts of a terminal whose record is to come. */
  #opened: { readonly account: string; readonly currency: string }[] = []
  #due: Due[] = []
  /** Tries that cards are to have again. */
  #given: readonly Given[] = []
  /** The record before, if it was of the ATM side; and what the customer's money moved by, if it settled a withdrawal. */
  #last: AtmContent | undefined
  #lastMoved = 0
  /** What the block that is checked has changed. */
  readonly #touched = new Set<TerminalId>()

  terminal(id: TerminalId): KnownTerminal | undefined {
    return this.#terminals.get(id)
  }

  withdrawal(terminal: TerminalId, id: string): KnownWithdrawal | undefined {
    return this.#withdrawals.get(`${terminal}/${id}`)
  }

  operation(terminal: TerminalId, id: string): KnownOperation | undefined {
    return this.#operations.get(`${terminal}/${id}`)
  }

  card(id: string): KnownCard | undefined {
    return this.#cards.get(id)
  }

  exception(id: string): KnownException | undefined {
    return this.#exceptions.get(id)
  }

  batch(terminal: TerminalId, batch: number): Batch | undefined {
    return this.#batches.get(`${terminal}/${batch}`)
  }

  get demo(): { readonly ended: boolean } | undefined {
    return this.#demo
  }

  /** Whether a record, of any kind, may stand here: after what is owed another one, only that may. */
  admits(content: Content): string | undefined {
    const operation = this.#moved[0]?.transfer.operation
    if (operation !== undefined && operationOf(content) !== operation)
      return `is not of ${operation}, whose transfers are just before it`
    const [opened] = this.#opened
    const isOpening = content.kind === 'account_opened' || content.kind === 'terminal_created'
    if (opened !== undefined && !isOpening)
      return `is not of the terminal whose account ${opened.account} was opened before it`
    const [due] = this.#due
    if (due !== undefined && !due.fits(content)) return due.what
    this.#due.shift()
    if (content.kind === 'account_opened') return this.#admitsOpened(content)
    const own = accountsIn(content).find(isTerminalAccount)
    if (own !== undefined) return `is of account ${own}, which is a terminal's`
    return content.kind === 'account_changed' ? this.#admitsChanged(content) : undefined
  }

  /** The three accounts of a terminal are opened one after the other, plain ones, and for nothing else. */
  #admitsOpened({
    account,
    currency,
    ...more
  }: Extract<Content, { kind: 'account_opened' }>): string | undefined {
    if (!isTerminalAccount(account))
      return this.#opened.length > 0 ? `opens account ${account} among a terminal's` : undefined
    const names = Object.values(accountsOfTerminal(account.slice(0, account.indexOf('.'))))
    const due = names[this.#opened.length]
    const isNext = this.#opened.every(
      (opened, i) => opened.account === names[i] && opened.currency === currency,
    )
    if (account !== due || !isNext) return `opens account ${account}, which is not the next of a terminal's`
    if (Object.keys(more).length > 2) return `opens account ${account} as a customer's`
    this.#opened.push({ account, currency })
    return undefined
  }

  #admitsChanged({ account, state }: Extract<Content, { kind: 'account_changed' }>): string | undefined {
    if (state !== 'closed') return undefined
    for (const { open } of this.#terminals.values())
      for (const withdrawal of open.values())
        if (withdrawal.account === account)
          return `closes account ${account}, whose withdrawal ${withdrawal.terminal}/${withdrawal.id} is open`
    return undefined
  }

  /** Takes the next transfer: says what is wrong with its accounts, if anything, and remembers that it is owed a record. */
  transfer(transfer: Transfer, id: RecordId): string | undefined {
    const { operation, type, debit, credit, currency, amount, forced, reverses } = transfer
    if (operation === undefined) {
      const own = [debit, credit].find((name) => isTerminalAccount(name) || name.startsWith('vault:'))
      if (own !== undefined) return `moves money on ${own} for no operation`
      return ofTerminals.has(type) ? `is a ${type} of no operation` : undefined
    }
    if (reverses !== undefined) return `is of ${operation}, and a reversal`
    const terminal = this.#terminals.get(operation.slice(0, operation.indexOf('/')))
    if (terminal === undefined) return `is of ${operation}, which is of no terminal`
    if (currency !== terminal.currency)
      return `moves ${currency} of ${operation}, which is in ${terminal.currency}`
    if (!isPath(transfer, terminal)) return `is a ${type} of ${operation} from ${debit} to ${credit}`
    if (amount < 1) return `moves ${amount} of ${operation}, which is no amount`
    if ((type === 'correction' && isCustomer(debit)) !== (forced === true) && type !== 'return')
      return `is a ${type} of ${operation} that is ${forced ? 'forced' : 'not forced'}`
    this.#moved.push({ id, transfer })
    return undefined
  }

  /** Of a return to a customer: the day whose limits it gives back to, and whether nothing is left of what was debited. */
  givenBack({ operation = '', debit, amount }: Transfer): {
    readonly charged?: Day
    readonly isAll: boolean
  } {
    if (isCustomer(debit)) {
      const transfer = this.#operations.get(operation)
      const charged = transfer?.charged
      return { ...(charged !== undefined && { charged }), isAll: amount === transfer?.amount }
    }
    const withdrawal = this.#withdrawals.get(operation)
    const returned = this.#moved.filter(({ transfer }) => transfer.type === 'return')
    const sum = returned.reduce((sum, { transfer }) => sum + transfer.amount, 0)
    const { charged } = withdrawal ?? {}
    return { ...(charged !== undefined && { charged }), isAll: sum === withdrawal?.debited }
  }

  /** Takes the next record; says what is wrong with it, if it is of the ATM side and anything is. */
  check(content: Content, around: Around): string | undefined {
    const last = this.#last
    this.#last = undefined
    if (!isOfAtm(content)) return undefined
    const named = transfersOf(content)
    const ids = this.#moved.map(({ id }) => id)
    if (content.kind !== 'exception_resolved' && `${named}` !== `${ids}`)
      return `names the transfers ${named.join(', ') || 'of nothing'}; just before it are ${ids.join(', ') || 'none'}`
    const moved = this.#moved.map(({ transfer }) => transfer)
    this.#moved = []
    this.#last = last
    const { at } = around
    const what =
      this.#check(content, around, moved) ??
      this.#traces.take(content, at) ??
      this.#references.take(content, at, (id) => this.#cards.has(id))
    this.#last = content
    return what
  }

  /** After the last record of a block: that nothing is owed, and what must hold of each terminal that it changed. */
  finishBlock(account: (number: string) => State | undefined): string | undefined {
    const [moved] = this.#moved
    if (moved !== undefined) return `ends before the record of ${moved.transfer.operation}`
    const [opened] = this.#opened
    if (opened !== undefined)
      return `ends before the record of the terminal whose account is ${opened.account}`
    if (this.#due.length > 0) return 'ends before a record that is due'
    const touched = [...this.#touched]
    this.#touched.clear()
    this.#last = undefined
    for (const id of touched) {
      const what = this.#judgeWhole(this.#terminals.get(id), account)
      if (what !== undefined) return what
    }
    return undefined
  }

  #judgeWhole(
    terminal: KnownTerminal | undefined,
    account: (number: string) => State | undefined,
  ): string | undefined {
    if (terminal === undefined) return undefined
    const { id, units, open } = terminal
    const { cash, transit } = accountsOfTerminal(id)
    const ledger = (number: string) => account(number)?.ledger
    const worth = worthOf(units)
    if (ledger(cash) !== 0 - worth) return `leaves ${ledger(cash)} on ${cash}, whose notes are worth ${worth}`
    const uncertain = [...open.values()].reduce((sum, { amount }) => sum + amount, 0)
    if (ledger(transit) !== uncertain)
      return `leaves ${ledger(transit)} on ${transit}, where withdrawals over ${uncertain} are open`
    for (const [name, { count, notes, reserved }] of units) {
      const due = [...open.values()].reduce((sum, each) => sum + (each.units[name] ?? 0), 0)
      if (reserved !== due)
        return `reserves ${reserved} notes of ${id}/${name}, of which open ones need ${due}`
      if (!isCount(count) || !Object.values(notes).every(isCount))
        return `leaves less than nothing in ${id}/${name}`
    }
    const forgotten = [...open.values()].find(
      ({ state, exception }) =>
        state === 'suspect' && this.#exceptions.get(exception ?? '')?.state !== 'open',
    )
    return forgotten && `leaves the suspect ${id}/${forgotten.id} without an exception`
  }

  #check(content: AtmContent, around: Around, moved: readonly Transfer[]): string | undefined {
    switch (content.kind) {
      case 'terminal_created':
        return this.#checkCreated(content, around)
      case 'card_issued':
        if (this.#cards.has(content.card)) return `issues card ${content.card}, which there is`
        this.#cards.set(content.card, cardIssued(content))
        return judgeIssued(content, around.account)
      case 'card_changed':
        return this.#checkCard(content)
      case 'exception_waits':
        return this.#checkWaits(content, around)
      case 'exception_resolved':
        return this.#checkResolved(content, around)
      case 'demo_opened':
        if (this.#demo !== undefined || !Array.isArray(content.cards))
          return 'opens the demo again, or of no cards'
        this.#demo = { ended: false }
        return undefined
      case 'demo_ended':
        if (this.#demo?.ended !== false) return 'ends the demo, which is not open'
        this.#demo = { ended: true }
        return undefined
      case 'keys_known':
        return Object.values(content.values).every((value) => typeof value === 'string')
          ? undefined
          : 'knows keys by what are no check values'
      default:
        return this.#checkAt(content, around, moved)
    }
  }

  /** The rest is each at a terminal, which must be there. */
  #checkAt(
    content: Exclude<AtmContent, { kind: 'terminal_created' }>,
    around: Around,
    moved: readonly Transfer[],
  ): string | undefined {
    const id =
      content.kind === 'batch_closed'
        ? content.report.terminal
        : 'terminal' in content
          ? content.terminal
          : ''
    const terminal = this.#terminals.get(id)
    if (terminal === undefined) return `names terminal ${id}, which was never created`
    this.#touched.add(id)
    const { at } = around
    switch (content.kind) {
      case 'terminal_changed':
        return this.#checkChanged(content, terminal)
      case 'withdrawal_authorized':
        return this.#checkAuthorized(content, terminal, around, moved)
      case 'withdrawal_declined': {
        const card = this.#cards.get(content.card ?? '')
        const declined = { ...untouched, state: 'declined', id: content.withdrawal, at } as const
        return (
          this.#checkNew(content) ??
          judgeDeclined(content, { terminal, card, account: around.account }) ??
          this.#put({ ...declined, ...pickKnown(content) })
        )
      }
      case 'withdrawal_started':
        return this.#checkStarted(content, terminal, at)
      case 'withdrawal_settled':
        return this.#checkSettled(content, terminal, at, moved)
      case 'withdrawal_forestalled':
        return this.#checkForestalled(content, terminal, around)
      case 'withdrawal_advised': {
        const { withdrawal: name, advice } = content
        const withdrawal = this.withdrawal(id, name)
        if (withdrawal === undefined || isUnderWay(withdrawal))
          return `advises of ${id}/${name}, which has not ended`
        if (typeof advice !== 'string' || withdrawal.advice === advice)
          return `advises of ${id}/${name} the same again`
        return this.#put({ ...withdrawal, advice })
      }
      case 'operation_done':
        return this.#checkDone(content, terminal, around, moved)
      case 'operation_declined':
        return this.#checkOperationDeclined(content, terminal, around)
      case 'operation_reversed':
        return this.#checkReversed(content, terminal, moved)
      case 'exception_opened':
        return this.#checkOpened(content, terminal, around)
      case 'exchange_started': {
        const { exchange } = content
        const busy = [...terminal.open.values()].find(({ state }) => state !== 'suspect')
        if (terminal.exchange !== undefined) return `starts exchange ${exchange}, where one is open`
        if (exchange !== `x_${around.id}`) return `starts exchange ${exchange}, which is not its name`
        if (busy !== undefined) return `starts exchange ${exchange}, while ${busy.id} is ${busy.state}`
        const afterwards = terminal.state === 'in_service' ? terminal.state : 'out_of_service'
        return this.#set({ ...terminal, state: 'exchange', exchange: { id: exchange, afterwards } })
      }
      case 'exchange_counted': {
        const { exchange } = terminal
        const what = judgeCounted(content, terminal)
        if (what !== undefined || exchange === undefined) return what
        return this.#set({ ...terminal, exchange: { ...exchange, counts: content.counts } })
      }
      case 'exchange_ended':
        return judgeEnded(content, terminal, moved) ?? this.#set(exchangeEnded(terminal, content))
      case 'batch_closed':
        return this.#checkClosed(content, terminal, around)
      default:
        return `is of a kind this Cashpoint does not prove: ${content.kind}`
    }
  }

  #set(terminal: KnownTerminal): undefined {
    this.#terminals.set(terminal.id, terminal)
  }

  #put(withdrawal: KnownWithdrawal): undefined {
    const { terminal, id } = withdrawal
    this.#withdrawals.set(`${terminal}/${id}`, withdrawal)
    const open = this.#terminals.get(terminal)?.open
    if (isUnderWay(withdrawal)) open?.set(id, withdrawal)
    else open?.delete(id)
  }

  #checkNew({ terminal, withdrawal }: { terminal: string; withdrawal: string }): string | undefined {
    return this.#withdrawals.has(`${terminal}/${withdrawal}`)
      ? `names ${terminal}/${withdrawal}, which was used before`
      : undefined
  }

  #checkCreated(content: TerminalCreated, { at }: Around): string | undefined {
    const { terminal: id, currency } = content
    const opened = this.#opened
    this.#opened = []
    if (this.#terminals.has(id)) return `creates terminal ${id}, which there is`
    const due = Object.values(accountsOfTerminal(id)).map((account) => ({ account, currency }))
    if (JSON.stringify(opened) !== JSON.stringify(due))
      return `creates terminal ${id}, whose accounts were not opened just before, in ${currency}`
    this.#touched.add(id)
    return judgeCreated(content) ?? this.#set(terminalCreated(content, at))
  }

  #checkChanged(content: TerminalChanged, terminal: KnownTerminal): string | undefined {
    const card = (id: string) => this.#cards.get(id)
    const what = judgeTerminalChanged(content, terminal, card)
    if (what !== undefined) return what
    const last = this.#last?.kind === 'card_changed' ? this.#last : undefined
    const given = triesGivenBack(content, terminal, last, card)
    if (given !== undefined) this.#dueGivenBack(terminal.id, given)
    const { state, signed_on, pin_keys, mac_keys, bad_blocks } = content
    const { exchange } = terminal
    return this.#set({
      ...terminal,
      ...(state !== undefined && { state: exchange === undefined ? state : 'exchange' }),
      ...(exchange !== undefined && state !== undefined && { exchange: { ...exchange, afterwards: state } }),
      ...(signed_on !== undefined && { signed_on }),
      ...(pin_keys !== undefined && { pin_keys }),
      ...(mac_keys !== undefined && { mac_keys }),
      ...(bad_blocks !== undefined && { bad_blocks }),
    })
  }

  /** Blocks in a row that did not decode: the exception says so, and the cards have their tries again. */
  #dueGivenBack(terminal: TerminalId, given: readonly Given[]): void {
    const what = `is not what follows from blocks of terminal ${terminal} that did not decode`
    this.#due.push({
      what,
      fits: (content) =>
        content.kind === 'exception_opened' && content.type === 'pin_key' && content.terminal === terminal,
    })
    for (const { card, tries_left } of given)
      this.#due.push({
        what,
        fits: (content) =>
          content.kind === 'card_changed' && content.card === card && content.tries_left === tries_left,
      })
    this.#given = given
  }

  #checkCard(content: CardChanged): string | undefined {
    const card = this.#cards.get(content.card)
    const [given] = this.#given
    const isGiven = given?.card === content.card
    if (isGiven) this.#given = this.#given.slice(1)
    const what = judgeCardChanged(content, card, isGiven ? given.tries_left : undefined)
    if (what !== undefined || card === undefined) return what
    this.#cards.set(card.id, cardChanged(card, content))
    return undefined
  }

  #checkAuthorized(
    content: WithdrawalAuthorized,
    terminal: KnownTerminal,
    { at, account: find }: Around,
    moved: readonly Transfer[],
  ): string | undefined {
    const { withdrawal: id, units, amount, card: cardId, card_used, business_date, expires_at } = content
    const card = this.#cards.get(cardId)
    const [transfer] = moved
    const account = find(content.account)
    const what =
      this.#checkNew(content) ?? judgeAuthorized(content, { terminal, card, account, transfer, at })
    if (what !== undefined || card === undefined) return what
    if (card_used !== undefined) this.#cards.set(cardId, { ...card, used: card_used })
    const reserved = new Map(
      [...terminal.units].map(([name, unit]) => [
        name,
        { ...unit, reserved: unit.reserved + (units[name] ?? 0) },
      ]),
    )
    const batch = summed({ ...terminal.batch, business_date }, 'withdrawals', amount)
    this.#set({ ...terminal, units: reserved, batch })
    const charged = content.charged !== undefined && { charged: content.charged }
    const state = { state: 'authorized', debited: amount, units, expires_at } as const
    return this.#put({
      ...untouched,
      ...pickKnown(content),
      ...state,
      ...charged,
      ...(card_used && { card_charged: card_used.day }),
      id,
      at,
    })
  }

  #checkStarted(content: WithdrawalStarted, terminal: KnownTerminal, at: number): string | undefined {
    const { withdrawal: id, expires_at } = content
    const withdrawal = this.withdrawal(terminal.id, id)
    const of = `${terminal.id}/${id}`
    if (withdrawal?.state !== 'authorized' || withdrawal.confirmation !== 'explicit')
      return `starts ${of}, which is ${withdrawal?.state ?? 'not there'}`
    if (withdrawal.expires_at !== null && at >= withdrawal.expires_at)
      return `starts ${of}, whose time was up`
    const due = at + terminal.confirm_within_s * 1000
    if (expires_at !== due) return `starts ${of} until ${expires_at}; it must be ${due}`
    return this.#put({ ...withdrawal, state: 'dispensing', expires_at })
  }

  #checkSettled(
    content: WithdrawalSettled,
    terminal: KnownTerminal,
    at: number,
    moved: readonly Transfer[],
  ): string | undefined {
    const { withdrawal: id, state, dispensed, debited, advice, card_used, mix_assumed } = content
    const before = this.withdrawal(terminal.id, id)
    if (before === undefined) return `settles ${terminal.id}/${id}, which there is not`
    const card = this.#cards.get(before.card ?? '')
    const exception = this.#exceptions.get(before.exception ?? '')
    const what = judgeSettled(content, { terminal, before, card, exception, moved, at })
    if (what !== undefined) return what
    this.#lastMoved = Math.abs(before.debited - debited)
    if (card !== undefined && card_used !== undefined) this.#cards.set(card.id, { ...card, used: card_used })
    const units: Units = unitsSettled(content, { before, terminal })
    this.#set({ ...terminal, units, batch: batchSettled(content, { before, terminal }) })
    this.#dueOf(content, before, exception)
    return this.#put({
      ...before,
      state,
      dispensed,
      debited,
      units: notesLeft(content, before),
      assumed: mix_assumed === true,
      expires_at: null,
      ...(advice !== undefined && { advice }),
      counted: terminal.counted,
    })
  }

  /** Who settled what was in doubt has answered its exception; who resolved one says so. */
  #dueOf(
    { by, state, terminal, withdrawal }: WithdrawalSettled,
    before: KnownWithdrawal,
    exception: KnownException | undefined,
  ): void {
    const isAnswered = isUnderWay(before) && state !== 'suspect' && exception?.state === 'open'
    if (!isAnswered && by !== 'resolution') return
    this.#due.push({
      what: `resolves no exception of ${terminal}/${withdrawal}, which was settled just before`,
      fits: (content) =>
        content.kind === 'exception_resolved' &&
        (by === 'resolution'
          ? this.#isOf(content, terminal, withdrawal)
          : content.exception === exception?.id),
    })
  }

  #isOf({ exception: id }: ExceptionResolved, terminal: string, withdrawal: string): boolean {
    const exception = this.#exceptions.get(id)
    return exception?.terminal === terminal && exception.withdrawal === withdrawal
  }

  #checkForestalled(
    content: WithdrawalForestalled,
    terminal: KnownTerminal,
    { at, account }: Around,
  ): string | undefined {
    const { withdrawal: id, amount, batch, advice } = content
    if (!isId(id)) return `forestalls ${JSON.stringify(id)}, which is no id`
    if (!isCount(amount) || typeof advice !== 'string' || (advice === 'reverse' && amount !== 0))
      return `forestalls ${amount}, of which nothing is known`
    const holder = judgeForestalledFor(content, this.#cards.get(content.card ?? ''), {
      terminal,
      account: account(content.account ?? ''),
    })
    const what = this.#checkNew(content) ?? judgeBatch(terminal, batch) ?? holder
    if (what !== undefined) return what
    if (advice !== 'reverse')
      this.#due.push({
        what: `does not tell of ${amount} of ${terminal.id}/${id}, which was not asked for`,
        fits: (next) =>
          next.kind === 'exception_opened' && next.type === 'unknown_advice' && next.amount === amount,
      })
    const none = { confirmation: 'explicit', units: {}, expires_at: null, dispensed: null } as const
    return this.#put({
      ...untouched,
      ...pickKnown({ ...content, confirmation: 'explicit' }),
      ...none,
      terminal: terminal.id,
      id,
      state: 'forestalled',
      amount,
      advice,
      at,
      counted: terminal.counted,
    })
  }

  #checkDone(
    content: OperationDone,
    terminal: KnownTerminal,
    { account }: Around,
    moved: readonly Transfer[],
  ): string | undefined {
    const { operation: id, type, unit, notes = {}, amount = 0, business_date } = content
    const name = `${terminal.id}/${id}`
    if (this.#operations.has(name)) return `names ${name}, which was used before`
    const last = this.#last
    const what = judgeDone(content, {
      terminal,
      card: this.#cards.get(content.card ?? ''),
      account: account(content.account ?? ''),
      moved,
      isPinSet: (card) => last?.kind === 'card_changed' && last.card === card && last.pin !== undefined,
    })
    if (what !== undefined) return what
    const dated = { ...terminal.batch, business_date }
    const batch = type === 'deposit' ? summed(dated, 'deposits', amount) : dated
    this.#set({ ...terminal, units: unitsWith(terminal.units, unit, notes, 1), batch })
    const { account: of, to, charged } = content
    this.#operations.set(name, {
      type,
      state: 'completed',
      ...(of !== undefined && { account: of }),
      ...(to !== undefined && { to }),
      ...(charged !== undefined && { charged }),
      ...(content.amount !== undefined && { amount }),
      ...(unit !== undefined && { unit }),
      notes,
      counted: terminal.counted,
    })
    return undefined
  }

  #checkOperationDeclined(
    content: OperationDeclined,
    terminal: KnownTerminal,
    { account }: Around,
  ): string | undefined {
    const { operation: id, type, amount } = content
    const name = `${terminal.id}/${id}`
    if (this.#operations.has(name)) return `names ${name}, which was used before`
    const card = this.#cards.get(content.card ?? '')
    const what = judgeOperationDeclined(content, { terminal, card, account })
    if (what !== undefined) return what
    const none = { state: 'declined', notes: {}, counted: 0 } as const
    this.#operations.set(name, { type, ...none, ...(amount !== undefined && { amount }) })
    return undefined
  }

  #checkReversed(
    content: OperationReversed,
    terminal: KnownTerminal,
    moved: readonly Transfer[],
  ): string | undefined {
    const name = `${terminal.id}/${content.operation}`
    const found = this.#operations.get(name)
    const what = judgeReversed(content, { terminal, found, moved })
    if (what !== undefined) return what
    this.#operations.set(name, { type: 'deposit', notes: {}, counted: 0, ...found, state: 'reversed' })
    if (found?.type !== 'deposit') return undefined
    const { unit, notes, amount = 0 } = found
    const units = content.counted ? terminal.units : unitsWith(terminal.units, unit, notes, -1)
    return this.#set({ ...terminal, units, batch: summed(terminal.batch, 'deposit_reversals', amount) })
  }

  #checkOpened(content: ExceptionOpened, terminal: KnownTerminal, { id, at }: Around): string | undefined {
    const { exception, type, amount, withdrawal: of } = content
    const withdrawal = of === undefined ? undefined : this.withdrawal(terminal.id, of)
    const newest = this.#exceptions.get(withdrawal?.exception ?? '')
    const what = judgeOpened(content, { id, at, terminal, withdrawal, newest, last: this.#last })
    if (what !== undefined) return what
    this.#exceptions.set(exception, {
      id: exception,
      type,
      state: 'open',
      terminal: terminal.id,
      amount,
      ...(of !== undefined && { withdrawal: of }),
    })
    return withdrawal && this.#put({ ...withdrawal, exception })
  }

  #sayingOf(id: string, { actor }: Around) {
    const exception = this.#exceptions.get(id)
    const of = exception?.withdrawal
    const withdrawal = of === undefined ? undefined : this.withdrawal(exception?.terminal ?? '', of)
    return { actor, exception, withdrawal, newest: this.#exceptions.get(withdrawal?.exception ?? '') }
  }

  #checkWaits(content: ExceptionWaits, around: Around): string | undefined {
    const saying = this.#sayingOf(content.exception, around)
    const what = judgeWaits(content, saying)
    const { exception, withdrawal } = saying
    if (what !== undefined || exception === undefined) return what
    const { word } = content
    const moves = Math.abs((word.dispensed ?? 0) - (withdrawal?.debited ?? 0))
    this.#exceptions.set(exception.id, { ...exception, waits: { word, moves } })
    return undefined
  }

  #checkResolved(content: ExceptionResolved, around: Around): string | undefined {
    const saying = this.#sayingOf(content.exception, around)
    const what = judgeResolved(content, saying, this.#last)
    const { exception, withdrawal } = saying
    if (what !== undefined || exception === undefined) return what
    const isPersons = this.#last?.kind === 'withdrawal_settled' && this.#last.by === 'resolution'
    const { waits: _, ...resolved } = exception
    this.#exceptions.set(exception.id, { ...resolved, state: 'resolved' })
    return isOfMoney(withdrawal) && isPersons ? judgeSecond(content, exception, this.#lastMoved) : undefined
  }

  #checkClosed(content: BatchClosed, terminal: KnownTerminal, around: Around): string | undefined {
    const what = judgeClosed(content, terminal, around)
    if (what !== undefined) return what
    this.#batches.set(`${terminal.id}/${content.report.batch}`, content.report)
    const off = offBalance(content)
    if (off !== undefined)
      this.#due.push({
        what: `does not tell that batch ${content.report.batch} is out of balance`,
        fits: (next) =>
          next.kind === 'exception_opened' && next.type === 'out_of_balance' && next.amount === off,
      })
    return this.#set(batchClosed(terminal, around.at))
  }
}

const untouched = {
  units: {},
  dispensed: null,
  debited: 0,
  assumed: false,
  expires_at: null,
  exception: null,
  counted: 0,
}

/** What a withdrawal keeps of the record that made it. */
function pickKnown(content: {
  readonly terminal: TerminalId
  readonly confirmation: KnownWithdrawal['confirmation']
  readonly amount: number
  readonly account?: string
  readonly card?: string
  readonly last4?: string
}) {
  const { terminal, confirmation, amount, account, card, last4 } = content
  return {
    terminal,
    confirmation,
    amount,
    ...(account !== undefined && { account }),
    ...(card !== undefined && { card }),
    ...(last4 !== undefined && { last4 }),
  }
}
