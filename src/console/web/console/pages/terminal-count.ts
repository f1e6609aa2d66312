/** What somebody counted in the units: notes of those that pay out, and notes by value of all others. */
import { useState } from 'preact/hooks'
import type { Terminal } from '../../../../client/types.ts'
import { html, type View } from '../../html.ts'
import type { Words } from '../messages/terminal-exchange.en.ts'
import { minorIn } from '../parts/amount.ts'
import { type Unit, unitText } from '../parts/bars.ts'
import { moneyText } from '../parts/figures.ts'

export type Counts = Readonly<Record<string, number | Readonly<Record<string, number>>>>

export type CountFormProps = {
  readonly terminal: Terminal
  /** What was counted and saved before, if anything was. */
  readonly before: Counts | undefined
  /** The word on the button. */
  readonly action: string
  readonly words: Words
  /** Something was typed that is not saved. */
  onChange(): void
  onSave(counts: Counts): Promise<void>
}

/** Blind: what the books have is not shown here, since whoever sees it counts it. */
export function CountForm({ terminal, before, action, words, onChange, onSave }: CountFormProps): View {
  const [isBusy, setBusy] = useState(false)
  const onSubmit = async (event: SubmitEvent) => {
    event.preventDefault()
    setBusy(true)
    await onSave(countsIn(new FormData(event.target as HTMLFormElement), terminal)).finally(() =>
      setBusy(false),
    )
  }
  return html`
    <form class="count" onSubmit=${onSubmit} onInput=${onChange}>
      <div class="inputs">${payers(terminal).map((unit) => cashInput(unit, terminal, before, words))}</div>
      <div class="others">
      ${terminal.units
        .filter(({ type }) => type !== 'cash_out')
        .map((unit) => html`<${NotesInputs} key=${unit.id} ...${{ unit, terminal, before, words }} />`)}
      </div>
      <div class="actions">
        <button type="submit" class="button main" disabled=${isBusy} aria-busy=${String(isBusy)}>${action}</button>
      </div>
    </form>
  `
}

/** The units that pay out. */
export function payers({ units }: Terminal): Unit[] {
  return units.filter(({ type }) => type === 'cash_out')
}

type NumberInput = {
  readonly label: string | View
  /** For those who only hear it: with the unit. */
  readonly heard: string
  readonly name: string
  readonly given?: number | undefined
  readonly required?: boolean
}

/** A whole number of notes. */
export function numberInput({ label, heard, name, given, required = false }: NumberInput): View {
  return html`
    <label class="field" key=${name}>
      <span>${label}</span>
      <input name=${name} aria-label=${heard} inputmode="numeric" pattern="[0-9]{1,6}" maxlength="6"
        autocomplete="off" required=${required} defaultValue=${given ?? ''} />
    </label>
  `
}

function cashInput(unit: Unit, { currency }: Terminal, before: Counts | undefined, words: Words): View {
  const given = before?.[unit.id]
  return numberInput({
    label: html`${unitText(unit, currency)} <code>${unit.id}</code>`,
    heard: words.notesOf(unitText(unit, currency), unit.id),
    name: unit.id,
    given: typeof given === 'number' ? given : undefined,
    required: true,
  })
}

type NotesProps = {
  readonly unit: Unit
  readonly terminal: Terminal
  readonly before: Counts | undefined
  readonly words: Words
}

/** By the values that the machine pays out and those that came in; others can be added. */
function NotesInputs({ unit, terminal, before, words }: NotesProps): View {
  const { currency } = terminal
  const counted = before?.[unit.id]
  const given = typeof counted === 'object' ? counted : {}
  const [more, setMore] = useState<readonly number[]>([])
  const own = payers(terminal).flatMap(({ value }) => value ?? [])
  const known = [...Object.keys(unit.notes ?? {}), ...Object.keys(given)].map(Number)
  const values = [...new Set([...own, ...known, ...more])].sort((a, b) => b - a)
  return html`
    <fieldset class="unit-notes">
      <legend>${unitText(unit, currency)} <code>${unit.id}</code></legend>
      <div class="inputs">
        ${values.map((value) =>
          numberInput({
            label: moneyText(value, currency),
            heard: words.notesOf(moneyText(value, currency), unit.id),
            name: `${unit.id} ${value}`,
            given: given[value],
          }),
        )}
        <${AnotherValue} ...${{ unit, currency, words, onAdd: (value: number) => setMore([...more, value]) }} />
      </div>
    </fieldset>
  `
}

type AnotherProps = {
  readonly unit: Unit
  readonly currency: string
  readonly words: Words
  onAdd(value: number): void
}

function AnotherValue({ unit, currency, words, onAdd }: AnotherProps): View {
  const [text, setText] = useState('')
  const value = minorIn(text, currency)
  const isValue = value !== undefined && value > 0
  const add = () => {
    if (!isValue) return
    onAdd(value)
    setText('')
  }
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== 'Enter') return
    event.preventDefault()
    add()
  }
  return html`
    <div class="field another">
      <span>${words.anotherValue}</span>
      <div>
        <input inputmode="decimal" autocomplete="off" value=${text} aria-label=${words.anotherValueLabel(unit.id)}
          onInput=${(event: InputEvent) => setText((event.target as HTMLInputElement).value)} onKeyDown=${onKeyDown} />
        <button type="button" class="button" disabled=${!isValue} onClick=${add}
          aria-label=${words.anotherValueLabel(unit.id)}>+</button>
      </div>
    </div>
  `
}

function countsIn(form: FormData, terminal: Terminal): Counts {
  const number = (name: string) => Number(form.get(name))
  return Object.fromEntries(
    terminal.units.map(({ id, type }) => {
      if (type === 'cash_out') return [id, number(id)]
      const names = [...form.keys()].filter((name) => name.startsWith(`${id} `) && number(name) > 0)
      return [id, Object.fromEntries(names.map((name) => [name.slice(id.length + 1), number(name)]))]
    }),
  )
}
