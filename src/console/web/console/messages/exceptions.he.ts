import { words as settle } from './exception-settle.he.ts'
import type { Words } from './exceptions.en.ts'

export const words: Words = {
  settle,
  title: 'חריגים',
  states: { open: 'פתוחים', resolved: 'שהוכרעו', all: 'הכול' },
  stateFilter: 'אילו חריגים',
  type: 'סוג',
  anyType: 'כל הסוגים',
  terminal: 'מכשיר',
  anyTerminal: 'כל המכשירים',
  what: 'מה קרה',
  withdrawal: 'משיכה',
  customer: 'לקוח',
  amount: 'סכום',
  opened: 'נפתח',
  outcome: 'הכרעה',
  nothingLeft: 'לא יצא דבר',
  left: (amount) => `יצאו ${amount}`,
  closed: 'נסגר',
  by: (name) => `בידי ${name}`,
  noneOpen: 'אין דבר פתוח',
  noneOpenText: 'כל מה שקרה במכשירים רשום בוודאות.',
  none: 'אין כאלה',
  noneText: 'אין חריג שמתאים לסינון.',
  emptyPage: 'אין כאלה בדף הזה; ייתכן שיש בדף הבא.',
}
