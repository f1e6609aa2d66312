/** Card numbers as ISO/IEC 7812 has them. What is kept of one is its last four digits, and an id that `vault.ts` makes. */

export function isPan(text: string): boolean {
  return /^[0-9]{12,19}$/.test(text)
}

/** Whether the last digit is the check digit of the others (Luhn): asked when a card is issued, not when it is used. */
export function hasCheckDigit(pan: string): boolean {
  const sum = [...pan].reverse().reduce((sum, digit, i) => {
    const value = Number(digit) * (i % 2 === 0 ? 1 : 2)
    return sum + (value > 9 ? value - 9 : value)
  }, 0)
  return sum % 10 === 0
}

export function lastFour(pan: string): string {
  return pan.slice(-4)
}
