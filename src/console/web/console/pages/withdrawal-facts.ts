/** Beside a withdrawal's story: whose it was, at which machine, by which numbers, and in which notes. */
import type { Account, Terminal, TerminalWithdrawal } from '../../../../client/types.ts'
import { html, type View } from '../../html.ts'
import { segment } from '../api.ts'
import type { Words } from '../messages/withdrawal.en.ts'
import { badge } from '../parts/badge.ts'
import { unitText } from '../parts/bars.ts'
import { copyable } from '../parts/copy.ts'
import { useData } from '../parts/data.ts'
import { ago, count, money, stamp } from '../parts/figures.ts'
import { accountLink, batchLink, cardLink, terminalLink } from '../parts/links.ts'
import { facts, panel } from '../parts/page.ts'
import { table } from '../parts/table.ts'
import { may } from '../session.ts'
import { isOpen } from './withdrawal-claim.ts'

type Facts = { readonly withdrawal: TerminalWithdrawal; readonly words: Words }

export function Customer({ withdrawal, words }: Facts): View {
  const { account, card, last4 } = withdrawal
  const path = account !== null && may('read') ? `/v1/accounts/${segment(account)}` : undefined
  const { body } = useData<Account>(path, ({ data }) => data['account'] === account)
  if (account === null) return panel({ title: words.customer }, html`<p class="soft">${words.noCustomer}</p>`)
  return panel(
    { title: words.customer },
    facts([
      [words.account, accountLink(account)],
      [words.card, card !== null && cardLink(card, last4)],
      ...(body === undefined
        ? []
        : ([
            [words.ledger, money(body.ledger, body.currency)],
            [words.available, money(body.available, body.currency)],
            [words.accountState, badge('account', body.state)],
          ] as const)),
    ]),
  )
}

type MachineProps = {
  readonly id: string
  /** The batch to lead to, if any. */
  readonly batch: number | undefined
  readonly words: Words
}

export function Machine({ id, batch, words }: MachineProps): View {
  const { body } = useData<Terminal>(`/v1/terminals/${segment(id)}`, ({ data }) => data['terminal'] === id)
  if (body === undefined) return panel({ title: words.machine }, terminalLink(id))
  const { name, state, last_seen, batch: open, transit, currency } = body
  return panel(
    { title: words.machine },
    facts([
      [words.terminal, html`${terminalLink(id)} <small><bdi>${name}</bdi></small>`],
      [words.terminalState, badge('terminal', state)],
      [words.lastSeen, ago(last_seen)],
      [words.uncertain, money(transit.uncertain, currency)],
      ...(batch === undefined
        ? []
        : [[words.batch, batch === open ? terminalLink(id, String(batch)) : batchLink(id, batch)] as const]),
    ]),
  )
}

export function references(
  { id, authorization_code, stan, rrn, created_at }: TerminalWithdrawal,
  words: Words,
): View {
  const some = (name: string, text: string | null | undefined) =>
    text == null ? [] : [[name, copyable(text)] as const]
  return panel(
    { title: words.references },
    facts([
      ...some(words.id, id),
      ...some(words.code, authorization_code),
      ...some(words.stan, stan),
      ...some(words.rrn, rrn),
      [words.at, stamp(created_at)],
    ]),
  )
}

export type NotesMoved = {
  /** By unit: which notes were to leave, and which went into the reject unit. */
  readonly planned: Readonly<Record<string, number>>
  readonly rejected: Readonly<Record<string, number>>
}

/** Unit by unit; what left is not known while the withdrawal is under way or in doubt. */
export function notes(
  withdrawal: TerminalWithdrawal,
  { units, currency }: Terminal,
  { planned, rejected, words }: NotesMoved & { words: Words },
): View | undefined {
  const left = withdrawal.dispensed === 0 ? {} : withdrawal.units
  const ids = new Set(Object.keys({ ...planned, ...left, ...rejected }))
  if (ids.size === 0) return undefined
  const number = (of: Readonly<Record<string, number>>, id: string) => count(of[id] ?? 0)
  return panel({ title: words.notes, tight: true }, [
    table({
      caption: words.notes,
      columns: [
        {
          head: words.unit,
          cell: (id: string) => {
            const unit = units.find((each) => each.id === id)
            return html`${unit && html`<b>${unitText(unit, currency)}</b> `}<code>${id}</code>`
          },
        },
        { head: words.planned, align: 'end', cell: (id) => number(planned, id) },
        { head: words.gone, align: 'end', cell: (id) => (isOpen(withdrawal) ? '?' : number(left, id)) },
        { head: words.rejected, align: 'end', cell: (id) => number(rejected, id) },
      ],
      rows: [...ids].sort(),
      keyOf: (id) => id,
    }),
    withdrawal.mix_assumed && html`<p class="soft">${words.assumed}</p>`,
  ])
}
