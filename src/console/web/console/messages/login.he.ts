import type { Words } from './login.en.ts'

export const words: Words = {
  title: 'כניסה',
  key: 'מפתח API',
  hint: 'כמו cp_…; מנהל יוצר מפתחות עם הפקודה “cashpoint credentials”.',
  enter: 'כניסה',
  wrong: 'אין הרשאה עם המפתח הזה, או שהיא נשללה.',
  idle: 'יצאת מהמערכת, כי איש לא נגע במסוף במשך 15 דקות.',
  ended: 'הכניסה שלך הסתיימה. אפשר להיכנס שוב ולחזור לאותו מקום.',
}
