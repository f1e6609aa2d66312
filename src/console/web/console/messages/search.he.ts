import type { Words } from './search.en.ts'

export const words: Words = {
  title: 'חיפוש',
  titleOf: (q) => `”${q}“`,
  nothing: 'מה מחפשים?',
  none: 'לא נמצא דבר',
  hint: 'מכשיר, מזהה משיכה, מספר חשבון, ארבע הספרות האחרונות של כרטיס, STAN, ‏RRN, קוד אישור, או סכום עם יום: ”60.00 2026-11-26“, ”60 today“.',
  more: 'יש עוד תוצאות: כדאי לדייק, למשל להוסיף יום לסכום.',
  found: 'נמצא',
  state: 'מצב',
  about: 'שייך ל',
  amount: 'סכום',
  at: 'מתי',
  kinds: {
    terminal: 'מכשיר',
    withdrawal: 'משיכה',
    account: 'חשבון',
    card: 'כרטיס',
    exception: 'חריג',
    transfer: 'העברה',
    deposit: 'הפקדת שטרות',
  },
}
