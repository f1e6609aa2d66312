import type { Words } from './terminals.en.ts'

export const words: Words = {
  title: 'מכשירים',
  terminal: 'מכשיר',
  state: 'מצב',
  units: 'קלטות',
  cash: 'מזומן',
  uncertain: 'לא ודאי',
  lastCashOut: 'משיכה אחרונה',
  lastSeen: 'נראה לאחרונה',
  none: 'עדיין אין מכשירים',
  noneText: 'מנהל יוצר מכשיר עם POST /v1/terminals.',
}
