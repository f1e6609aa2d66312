/** What somebody may do about an account's state, each time with a reason. */
import { h } from 'preact'
import { useState } from 'preact/hooks'
import type { Account } from '../../../../client/types.ts'
import { html, type View } from '../../html.ts'
import { post, segment } from '../api.ts'
import type { Words } from '../messages/account.en.ts'
import { button } from '../parts/button.ts'
import { choices } from '../parts/choices.ts'
import { type Asked, openDialog, typed } from '../parts/dialog.ts'
import { isolated } from '../parts/isolated.ts'
import { may } from '../session.ts'

type Of = { readonly account: Pick<Account, 'number' | 'state'>; readonly words: Words; reload(): void }

export function stateActions({ account, words, reload }: Of): View | false {
  const { number, state } = account
  if (!may('block_accounts') || state === 'closed') return false
  const name = isolated(number)
  const ask = (asked: Omit<Asked, 'submit'>, to?: Account['state']) => () =>
    openDialog({
      ...asked,
      submit: async (form, key) => {
        const body = { state: to ?? typed(form, 'state'), reason: typed(form, 'reason') }
        await post(`/v1/accounts/${segment(number)}/state`, body, key)
        reload()
      },
    })
  const freeze = ask(
    {
      title: words.freezeTitle(name),
      text: words.freezeText,
      action: words.freeze,
      tone: 'bad',
      done: words.frozen,
    },
    'frozen',
  )
  const block = ask({
    title: words.blockTitle(name),
    action: words.block,
    tone: 'bad',
    done: words.blocked,
    fields: html`${h(WhatIsRefused, { words })}`,
  })
  const freeWord = state === 'frozen' ? words.unfreeze : words.unblock
  const free = ask(
    { title: words.freeTitle(name), text: words.freeText, action: freeWord, done: words.freed },
    'active',
  )
  const close = ask(
    {
      title: words.closeTitle(name),
      text: words.closeText,
      action: words.close,
      tone: 'bad',
      done: words.closed,
    },
    'closed',
  )
  return html`
    ${state === 'active' && button({ label: words.block, onClick: block })}
    ${state !== 'frozen' && button({ label: words.freeze, onClick: freeze })}
    ${state !== 'active' && button({ label: freeWord, tone: 'main', onClick: free })}
    ${button({ label: words.close, onClick: close })}
  `
}

function WhatIsRefused({ words }: { words: Words }): View {
  const [chosen, setChosen] = useState('debit_blocked')
  return choices({
    legend: words.blockWhat,
    name: 'state',
    options: [
      { value: 'debit_blocked', label: words.blockDebits },
      { value: 'credit_blocked', label: words.blockCredits },
    ],
    chosen,
    isFirst: true,
    onChoose: setChosen,
  })
}
