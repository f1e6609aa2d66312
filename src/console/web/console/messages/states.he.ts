import type { Words } from './states.en.ts'

export const words: Words = {
  terminal: { in_service: 'בשירות', out_of_service: 'לא בשירות', exchange: 'במילוי' },
  withdrawal: {
    declined: 'סורבה',
    authorized: 'אושרה',
    dispensing: 'בתהליך תשלום',
    completed: 'שולמה',
    partially_completed: 'שולמה בחלקה',
    reversed: 'בוטלה',
    suspect: 'חשודה',
  },
  deposit: { completed: 'התקבלה', reversed: 'בוטלה', declined: 'סורבה' },
  exception: { open: 'פתוח', resolved: 'הוכרע' },
  card: { active: 'פעיל', blocked: 'חסום', lost: 'אבד', stolen: 'נגנב', expired: 'פג תוקף' },
  account: {
    active: 'פעיל',
    debit_blocked: 'חסום לחיובים',
    credit_blocked: 'חסום לזיכויים',
    frozen: 'מוקפא',
    closed: 'סגור',
  },
  hold: { pending: 'ממתין', posted: 'נגבה', voided: 'שוחרר', expired: 'פג' },
  unit: { ok: 'תקין', low: 'עומד להיגמר', empty: 'ריק', inoperative: 'מקולקל' },
}
