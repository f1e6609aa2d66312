import type { Words } from './cards.en.ts'

export const words: Words = {
  title: 'כרטיסים',
  text: 'ממספר הכרטיס נשמרות ארבע הספרות האחרונות, ולא יותר.',
  status: 'מצב',
  anyStatus: 'הכול',
  last4: 'ארבע ספרות אחרונות',
  find: 'חיפוש',
  card: 'כרטיס',
  accounts: 'חשבונות',
  expiry: 'בתוקף עד',
  tries: 'ניסיונות PIN שנותרו',
  none: 'עדיין אין כרטיסים',
  noneText: 'כרטיס מונפק על ידי POST /v1/cards.',
  noneHere: 'אין כאלה בדף הזה',
  noneHereText: 'ייתכן שיש בדפים הבאים.',
  noneFound: (last4) => `אין כרטיס שמסתיים ב־${last4}`,
  noneSuch: 'אין כרטיסים כאלה',
  all: 'כל הכרטיסים',
}
