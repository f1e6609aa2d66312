import type { Words } from './exception-settle.en.ts'

export const words: Words = {
  about: {
    suspect:
      'המכשיר לא ידע לומר אילו שטרות יצאו, או שלא דיווח בזמן. הכסף ממתין במעבר עד שמישהו יודע: מיומן המכשיר, מהמצלמה או מספירה.',
    confirm_after_reversal: 'הכסף כבר חזר ללקוח, ואז המכשיר דיווח שבכל זאת יצא מזומן.',
    reverse_after_confirm: 'המכשיר דיווח שיצא מזומן והלקוח חויב, ואז המכשיר חזר בו.',
    late_reversal:
      'המכשיר לא דיווח דבר עד סגירת הסבב, והדבר נחשב כתשלום. אחר כך הוא חזר בו, והכסף שוב אצל הלקוח. יש לקבוע מה נכון.',
    over_dispensed: 'המכשיר מדווח שיצא יותר מזומן ממה שהתבקש. עד שיתברר, הלקוח מחויב במה שביקש.',
    reversal_mismatch: 'המכשיר דיווח תחילה על סכום אחד ואחר כך על סכום אחר. בספרים רשום הראשון.',
    unknown_advice: 'המכשיר מדווח על מזומן של משיכה שמעולם לא ביקש.',
    out_of_balance:
      'מה שהמכשיר ספר בסבב אינו מה שרשום בספרים. יש להשוות את דוח הסבב ליומן המכשיר; מה שהספירה תוכיח יירשם בעודף/חוסר במילוי הבא.',
    pin_key:
      'עשרה בלוקי PIN ברצף לא נקראו: מפתח ה־PIN של המכשיר אינו זה שבשרת. המכשיר הוצא משירות, והניסיונות הוחזרו לכרטיסים. יש לתת לו מפתח חדש.',
  },
  resolve: 'הכרעה',
  resolveTitle: 'כמה מזומן באמת יצא מהמכשיר?',
  resolveNoMoney: 'לא ידוע על כסף של לקוח, ולכן לא תהיה תנועה. יש לומר מדוע העניין סגור.',
  resolveNoMoneyTitle: 'הכרעה בלי תנועה',
  left: 'המזומן שיצא',
  nothing: 'לא יצא דבר',
  all: (amount) => `הכול יצא: ${amount}`,
  some: (amount) => `יצאו ${amount}`,
  other: 'סכום אחר',
  otherLabel: (currency) => `סכום אחר, ב־${currency}`,
  otherWrong: 'סכום כמו 40.00.',
  otherTooMuch: (amount) => `לא ייתכן שיצא יותר מ־${amount}.`,
  proposed: 'הסביר ביותר',
  willPost: 'מה יירשם',
  choose: 'יש לבחור מה יצא; כאן ייכתב מה יירשם.',
  posted: {
    paid: ({ amount, terminal }) => `${amount} יוצאים מהמעבר ונרשמים כמזומן ש־${terminal} שילם.`,
    back: ({ amount, account }) => `${amount} חוזרים מהמעבר לחשבון ${account}.`,
    more: ({ amount, account }) => `${amount} נוספים נלקחים מחשבון ${account}, גם אם יתרתו תרד מתחת לאפס.`,
    taken: ({ amount, account, terminal }) =>
      `${amount} נלקחים מחשבון ${account}, גם אם יתרתו תרד מתחת לאפס, ונרשמים כמזומן ש־${terminal} שילם; אם שטרותיו נספרו מאז, כעודף/חוסר.`,
    given: ({ amount, account, terminal }) =>
      `${amount} חוזרים לחשבון ${account} מהמזומן של ${terminal}; אם שטרותיו נספרו מאז, מהעודף/חוסר.`,
    ends: ({ amount, account }) => `בסוף חשבון ${account} מחויב ב־${amount}, ובידי הלקוח ${amount} במזומן.`,
    endsWithNone: ({ account }) => `בסוף חשבון ${account} אינו מחויב בדבר.`,
  },
  twoPeople: 'אם זה מזיז יותר ממה שאדם אחד רשאי להכריע לבדו, זה ימתין עד שאדם נוסף יאמר אותו דבר.',
  resolved: 'הוכרע.',
  noted: 'נרשם. ממתין עד שאדם נוסף יאמר אותו דבר.',
  waits: ({ by, amount }) => `לדברי ${by} יצאו ${amount}`,
  waitsNothing: ({ by }) => `לדברי ${by} לא יצא דבר`,
  waitsText: (reason) => `”${reason}“ אדם נוסף צריך לומר אותו דבר, ואז זה יירשם.`,
  waitsMine: 'כך אמרת. ממתין עד שאדם נוסף יאמר אותו דבר.',
  waitsBadge: 'ממתין לאדם נוסף',
  saySame: 'אותו דבר',
  opened: 'נפתח',
  amount: 'סכום',
  proposal: 'כנראה יצא',
  resolvedBy: 'הוכרע בידי',
  resolvedAt: 'הוכרע',
  dispensed: 'המזומן שיצא',
  reason: 'סיבה',
  nobody: 'הדגמה',
  transfers: 'נרשם',
  noTransfers: 'לא היה צורך בתנועה.',
}
