/** Card numbers that no card has: in a range for tests, with the right check digit. */
import type { Chance } from '../outside/chance.ts'

const range = '476173'

export function newPan(chance: Chance): string {
  const digits = range + Array.from({ length: 9 }, () => chance(10)).join('')
  return digits + checkDigit(digits)
}

/** Luhn's: every second digit from the right counts twice, its digits summed. */
function checkDigit(digits: string): number {
  const sum = [...digits].reverse().reduce((sum, digit, i) => {
    const value = Number(digit) * (i % 2 === 0 ? 2 : 1)
    return sum + (value > 9 ? value - 9 : value)
  }, 0)
  return (10 - (sum % 10)) % 10
}
