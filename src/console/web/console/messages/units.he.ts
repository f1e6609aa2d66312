import type { Words } from './units.en.ts'

export const words: Words = {
  reserved: (count) => `${count} מובטחים`,
  rejected: (count) => `${count} נדחו`,
  types: { cash_out: 'משלם', cash_in: 'מקבל', reject: 'שטרות שנדחו', retract: 'שטרות שנאספו חזרה' },
}
