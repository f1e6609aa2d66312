/** Forgers of ATM journals: what records say is changed, one or several, and every block is sealed anew with right totals. */
import { sha256 } from '../../src/bank/batch.ts'
import { type HouseAccount, isHouse } from '../../src/ledger/account.ts'
import { genesis, seal } from '../../src/ledger/block.ts'
import type { Line } from '../../src/ledger/record.ts'
import type { Body, Entry } from '../support/journal.ts'

/** A record that a forger may change: its line and what it says. */
export type Forged = { line: { -readonly [Name in keyof Line]: Line[Name] }; body: Body }

/** The `n`th record of a kind, from 1, of those whose members are these. */
export type Records = (kind: Line['kind'], members?: object, n?: number) => Forged

/** The journal as a forger leaves it. A record in the way becomes one that says nothing, so that ids stay what they are. */
export function forgedBy(
  honest: readonly Entry[],
  forge: (records: Records, all: readonly Forged[]) => void,
): Entry[] {
  const entries = honest.map(({ block, lines }) => ({
    block,
    records: lines.map((line): Forged => ({ line: { ...line }, body: JSON.parse(line.body) })),
  }))
  const all = entries.flatMap(({ records }) => records)
  forge((kind, members = {}, n = 1) => {
    const found = all.filter(
      ({ line, body }) =>
        line.kind === kind && Object.entries(members).every(([name, value]) => body[name] === value),
    )
    const record = found[n - 1]
    if (record === undefined) throw new Error(`there is no ${kind} ${JSON.stringify(members)} ${n}`)
    return record
  }, all)
  let head = genesis(1)
  const totals = new Map<HouseAccount, bigint>()
  return entries.map(({ block, records }) => {
    for (const { line, body } of records) if (line.kind === 'transfer') addUp(totals, body)
    // A batch names the block before it.
    const text = (body: Body) => JSON.stringify(body).replaceAll(block.previous, head.hash)
    const lines = records.map(({ line, body }) => ({ ...line, body: text(body) }))
    head = seal(head, lines, { at: block.at, totals, sha256 })
    return { block: head, lines }
  })
}

function addUp(totals: Map<HouseAccount, bigint>, { debit, credit, amount }: Body): void {
  for (const [name, change] of [
    [debit, -amount],
    [credit, amount],
  ])
    if (typeof name === 'string' && isHouse(name) && Number.isInteger(change))
      totals.set(name, (totals.get(name) ?? 0n) + BigInt(change))
}

/** Makes a record one that says nothing. */
export function blank(record: Forged): void {
  record.line.kind = 'keys_known'
  record.body = { values: {} }
}

/** Where a record says a number, by the names on the way to it. */
export function* numbersIn(body: unknown, path: readonly string[] = []): Generator<readonly string[]> {
  if (typeof body === 'number') yield path
  else if (body !== null && typeof body === 'object')
    for (const [name, value] of Object.entries(body)) yield* numbersIn(value, [...path, name])
}

/** The body with one of its numbers changed by so much. */
export function changedBy(body: Body, [name = '', ...path]: readonly string[], change: number): Body {
  const value = path.length === 0 ? body[name] + change : changedBy(body[name], path, change)
  return Array.isArray(body) ? body.with(Number(name), value) : { ...body, [name]: value }
}
