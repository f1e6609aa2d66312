/** Asks before something is done that others must be able to read up later: what, and why. */
import { h, render } from 'preact'
import { useRef, useState } from 'preact/hooks'
import { CashpointError } from '../../../../client/errors.ts'
import { mayTryAgain } from '../../../../client/retry.ts'
import { html, type View } from '../../html.ts'
import { newKey } from '../api.ts'
import { styled } from '../styles.ts'
import { words } from '../words.ts'
import { refusalText } from './refusal.ts'
import { toast } from './toast.ts'

styled('parts/dialog')

export type Asked = {
  readonly title: string
  /** What will be so, in a sentence or two. */
  readonly text?: string
  /** The word on the button that does it. */
  readonly action: string
  readonly tone?: 'main' | 'bad'
  /** Inputs beside the reason, each with a name. */
  readonly fields?: View
  /** Whether a reason must be given, as is usual: the input `reason`, 1 to 140 characters. */
  readonly reason?: boolean
  /** Said when it was done. */
  readonly done?: string
  /**
   * Does it. The key stands for what was filled in: the same for each try of that until there is an answer, another
   * one where it was changed.
   * What it throws is shown, and the dialog stays open.
   */
  submit(form: FormData, key: string): Promise<unknown>
}

/** Opens the dialog over the page; the focus comes back to where it was. */
export function openDialog(asked: Asked): void {
  const dialog = document.createElement('dialog')
  dialog.className = 'dialog'
  dialog.setAttribute('aria-labelledby', 'dialog-title')
  document.body.append(dialog)
  dialog.addEventListener('close', () => {
    render(null, dialog)
    dialog.remove()
  })
  render(h(Form, { asked, close: () => dialog.close() }), dialog)
  dialog.showModal()
}

type FormProps = { readonly asked: Asked; close(): void }

function Form({ asked, close }: FormProps): View {
  const { title, text, action, tone = 'main', fields, reason = true, done, submit } = asked
  const [busy, setBusy] = useState(false)
  const [failure, setFailure] = useState<unknown>()
  const intent = useRef({ filled: '', key: newKey() })
  const onSubmit = async (event: SubmitEvent) => {
    event.preventDefault()
    setBusy(true)
    setFailure(undefined)
    const form = new FormData(event.target as HTMLFormElement)
    const filled = JSON.stringify([...form])
    if (intent.current.filled !== filled) intent.current = { filled, key: newKey() }
    try {
      await submit(form, intent.current.key)
      close()
      if (done !== undefined) toast(done)
    } catch (error) {
      if (isDecided(error)) intent.current = { filled: '', key: newKey() }
      setFailure(error)
      setBusy(false)
    }
  }
  return html`
    <form onSubmit=${onSubmit}>
      <h2 id="dialog-title">${title}</h2>
      ${text !== undefined && html`<p>${text}</p>`}
      ${fields}
      ${reason && reasonField()}
      ${failure !== undefined && html`<p class="wrong" role="alert">${refusalText(failure)}</p>`}
      <div class="actions">
        <button type="button" class="button" onClick=${close}>${words.cancel}</button>
        <button type="submit" class="button ${tone}" disabled=${busy} aria-busy=${String(busy)}>${action}</button>
      </div>
    </form>
  `
}

/** A no is kept under its key, and would be said again when what stood in the way is gone: the next try is another. */
function isDecided(error: unknown): boolean {
  return error instanceof CashpointError && error.status < 500 && !mayTryAgain(error)
}

function reasonField(): View {
  return html`
    <label class="field">
      <span>${words.reason}</span>
      <textarea name="reason" required maxlength="140" rows="2"></textarea>
      <small>${words.reasonHint}</small>
    </label>
  `
}

/** What somebody typed under a name, without blanks around it. */
export function typed(form: FormData, name: string): string {
  const text = form.get(name)
  return typeof text === 'string' ? text.trim() : ''
}
