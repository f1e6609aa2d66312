/** What counting found: unit by unit against the books, and what it says of the withdrawals that nobody is sure of. */
import { h } from 'preact'
import type { Counted, Exception, Terminal, TerminalWithdrawal } from '../../../../client/types.ts'
import { html, type View } from '../../html.ts'
import type { Words } from '../messages/terminal-exchange.en.ts'
import { unitText } from '../parts/bars.ts'
import { count, money, moneyText } from '../parts/figures.ts'
import { withdrawalLink } from '../parts/links.ts'
import { type Column, table } from '../parts/table.ts'
import { Left } from './exception-resolve.ts'
import type { Claim } from './withdrawal-claim.ts'

type Row = { readonly id: string } & Counted['units'][string]

export function comparison({ units, amount }: Counted, terminal: Terminal, words: Words): View {
  const { currency } = terminal
  const columns: readonly Column<Row>[] = [
    {
      head: words.unit,
      cell: ({ id }) => {
        const unit = terminal.units.find((each) => each.id === id)
        return html`<b>${unit && unitText(unit, currency)}</b> <code>${id}</code>`
      },
    },
    { head: words.expected, align: 'end', cell: ({ expected }) => count(numberIn(expected)) },
    { head: words.counted, align: 'end', cell: ({ counted }) => count(numberIn(counted)) },
    { head: words.variance, align: 'end', cell: ({ variance }) => variance !== 0 && signed(variance) },
    { head: words.amount, align: 'end', cell: ({ amount }) => amount !== 0 && money(amount, currency) },
  ]
  const text = moneyText(Math.abs(amount), currency)
  const total = amount === 0 ? words.asInBooks : (amount < 0 ? words.missing : words.beyond)(text)
  return html`
    <h3>${words.compared}</h3>
    ${table({ caption: words.compared, columns, rows: rowsOf(units), keyOf: ({ id }) => id })}
    <p class="total" role="status"><b>${total}</b></p>
  `
}

function rowsOf(units: Counted['units']): Row[] {
  return Object.entries(units).map(([id, compared]) => ({ id, ...compared }))
}

function numberIn(contents: Row['counted']): number {
  return typeof contents === 'number'
    ? contents
    : Object.values(contents).reduce((sum, notes) => sum + notes, 0)
}

const difference = new Intl.NumberFormat('en', { signDisplay: 'exceptZero' })

function signed(notes: number): View {
  return html`<bdi class="figure ${notes < 0 ? 'below' : ''}">${difference.format(notes)}</bdi>`
}

/** What left of each suspect, by its id; undefined where nobody has said yet. */
export type Answers = ReadonlyMap<string, number | undefined>

/** At first as what is missing says. */
export function proposedIn({ suspects }: Counted): Answers {
  return new Map(suspects.map(({ withdrawal, proposal }) => [withdrawal, proposal?.dispensed]))
}

/** A suspect with whose money it is, as far as that has been read. */
export function claimsOf(
  { suspects }: Counted,
  terminal: Terminal,
  known: { withdrawals: readonly TerminalWithdrawal[]; exceptions: readonly Exception[] },
): ReadonlyMap<string, Claim> {
  return new Map(
    suspects.map(({ withdrawal: id, amount }) => {
      const found = known.withdrawals.find((each) => each.id === id)
      const exception = known.exceptions.find((each) => each.withdrawal === id)
      const claim: Claim = {
        account: found?.account ?? '',
        terminal: terminal.id,
        currency: terminal.currency,
        amount,
        debited: amount,
        isOpen: true,
        mayExceed: exception?.type === 'over_dispensed',
      }
      return [id, claim]
    }),
  )
}

type Suspects = {
  readonly counted: Counted
  readonly claims: ReadonlyMap<string, Claim>
  readonly terminal: Terminal
  readonly words: Words
  onAnswer(withdrawal: string, dispensed: number | undefined): void
}

export function suspectsForm({ counted, claims, terminal, words, onAnswer }: Suspects): View {
  return html`
    <h3 class="step">${words.suspects}</h3>
    <p class="soft">${words.suspectsText}</p>
    <div class="suspects">
      ${counted.suspects.map(({ withdrawal, amount, proposal }) => {
        const claim = claims.get(withdrawal)
        return html`
          <section key=${withdrawal}>
            <h4>${withdrawalLink(terminal.id, withdrawal)} ${money(amount, terminal.currency)}</h4>
            ${proposal === null && html`<p class="soft">${words.noProposal}</p>`}
            ${
              claim &&
              h(Left, {
                claim,
                likely: proposal?.dispensed,
                name: `left ${withdrawal}`,
                words: words.settle,
                onAnswer: (dispensed) => onAnswer(withdrawal, dispensed),
              })
            }
          </section>
        `
      })}
    </div>
  `
}
