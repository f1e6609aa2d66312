import type { Words } from './refusals.en.ts'

export const words: Words = {
  exception_resolved: 'בינתיים מישהו הכריע בזה אחרת.',
  second_person_needed: 'אדם נוסף צריך לאשר: אדם אחד לבדו אינו רשאי להכריע בסכום כזה.',
  suspects_open: 'קודם יש להכריע במשיכות החשודות: השטרות במכשיר הם ההוכחה.',
  exchange_open: 'המכשיר נמצא באמצע מילוי.',
  no_exchange: 'המילוי הזה הסתיים.',
  not_counted: 'יש לספור את הקלטות לפני שקובעים אותן מחדש.',
  withdrawals_open: 'יש משיכות שעדיין מתבצעות.',
  account_not_empty: 'ניתן לסגור רק חשבון שיתרתו אפס ואין בו שריונים.',
}
