/** States, each in its colour and always in words. */
import { html, type View } from '../../html.ts'
import { styled } from '../styles.ts'
import { wordsOf } from '../words.ts'

export { exceptionText } from '../words.ts'

type Tone = 'good' | 'warn' | 'bad' | 'busy' | 'quiet'

const tones = {
  terminal: { in_service: 'good', out_of_service: 'bad', exchange: 'warn' },
  withdrawal: {
    declined: 'quiet',
    authorized: 'busy',
    dispensing: 'busy',
    completed: 'good',
    partially_completed: 'warn',
    reversed: 'quiet',
    suspect: 'bad',
  },
  deposit: { completed: 'good', reversed: 'quiet', declined: 'quiet' },
  exception: { open: 'warn', resolved: 'good' },
  card: { active: 'good', blocked: 'warn', lost: 'bad', stolen: 'bad', expired: 'quiet' },
  account: {
    active: 'good',
    debit_blocked: 'warn',
    credit_blocked: 'warn',
    frozen: 'bad',
    closed: 'quiet',
  },
  hold: { pending: 'busy', posted: 'good', voided: 'quiet', expired: 'quiet' },
  unit: { ok: 'good', low: 'warn', empty: 'bad', inoperative: 'bad' },
} as const satisfies Record<string, Record<string, Tone>>

export type Of = keyof typeof tones

type Texts = { readonly [Kind in Of]: Readonly<Record<keyof (typeof tones)[Kind], string>> }

styled('parts/badge')
const texts: Texts = await wordsOf({
  en: () => import('../messages/states.en.ts'),
  he: () => import('../messages/states.he.ts'),
})

/** The state of something, such as `badge('terminal', 'in_service')`; one that is not known here says its own name. */
export function badge(of: Of, state: string): View {
  const tone = (tones[of] as Readonly<Record<string, Tone>>)[state] ?? 'quiet'
  return html`<span class="badge ${tone}">${stateText(of, state)}</span>`
}

export function stateText(of: Of, state: string): string {
  return (texts[of] as Readonly<Record<string, string>>)[state] ?? state
}
