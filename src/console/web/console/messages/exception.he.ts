import type { Words } from './exception.en.ts'
import { words as settle } from './exception-settle.he.ts'
import { words as withdrawal } from './withdrawal.he.ts'

export const words: Words = {
  settle,
  withdrawal,
  all: 'חריגים',
  what: 'במה מדובר',
  terminal: 'מכשיר',
  ofWithdrawal: 'משיכה',
  account: 'חשבון',
  card: 'כרטיס',
  id: 'חריג',
  toWithdrawal: 'למשיכה',
  toTerminal: 'למכשיר',
  details: 'המצב',
}
