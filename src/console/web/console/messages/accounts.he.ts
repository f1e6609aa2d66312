import { words as account } from './account.he.ts'
import type { Words } from './accounts.en.ts'

export const words: Words = {
  title: 'חשבונות',
  total: (count) => `${count} בסך הכול, לפי סדר המספרים`,
  views: 'של מי החשבונות',
  customers: 'לקוחות',
  house: 'של הבית',
  goTo: 'מספר חשבון',
  goToHint: 'המספר המלא',
  open: 'פתיחה',
  state: 'מצב',
  anyState: 'הכול',
  currency: 'מטבע',
  anyCurrency: 'הכול',
  number: 'חשבון',
  ledger: 'יתרה בספרים',
  held: 'משוריין',
  available: 'זמין',
  none: 'אין חשבונות כאלה',
  noneText: 'הפקדה פותחת חשבון, או POST /v1/accounts.',
  all: 'כל החשבונות',
  houses: account.houses,
}
