import type { Words } from './account-statement.en.ts'
import { words as live } from './live.he.ts'

export const words: Words = {
  title: (number) => `דף חשבון ${number}`,
  accounts: 'חשבונות',
  account: (number) => `חשבון ${number}`,
  print: 'הדפסה',
  download: 'הורדת CSV',
  from: 'מיום',
  to: 'עד יום',
  utc: 'ימים לפי UTC',
  anyTime: 'כל הזמן',
  times: '(ימים ושעות לפי UTC)',
  entries: 'תנועות',
  opening: 'יתרת פתיחה',
  closing: 'יתרת סגירה',
  paidIn: 'זכות',
  paidOut: 'חובה',
  at: 'מתי',
  what: 'מה',
  reference: 'אסמכתה',
  balance: 'יתרה',
  transfer: 'העברה',
  currency: 'מטבע',
  none: 'דבר לא נרשם בזמן הזה',
  kinds: live.transferKinds,
}
