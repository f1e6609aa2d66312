/** The cards that lie before the machine. Their numbers are those of the demo data, public, and good nowhere else. */

export type Card = {
  readonly pan: string
  readonly account: string
  readonly holder: string
  /** Its colours. */
  readonly look: 'ocean' | 'plum' | 'moss'
}

export const terminalId = 'ATM00001'

export const demoPin = '1234'

export const cards: readonly Card[] = [
  { pan: '4761739001010119', account: '123456789', holder: 'Maya Levi', look: 'ocean' },
  { pan: '4761739001010127', account: '987654321', holder: 'Tom Berger', look: 'plum' },
  { pan: '4761739001010135', account: '555555555', holder: 'Ines Duarte', look: 'moss' },
]

export function lastFour({ pan }: Card): string {
  return pan.slice(-4)
}
