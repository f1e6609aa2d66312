import { words as settle } from './exception-settle.en.ts'
import { words as withdrawal } from './withdrawal.en.ts'

export const words = {
  settle,
  withdrawal,
  all: 'Exceptions',
  what: 'What it is about',
  terminal: 'Terminal',
  ofWithdrawal: 'Withdrawal',
  account: 'Account',
  card: 'Card',
  id: 'Exception',
  toWithdrawal: 'See the withdrawal',
  toTerminal: 'See the terminal',
  details: 'How it stands',
}

export type Words = typeof words
