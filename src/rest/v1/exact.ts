/**
 * Reads a JSON body in which nothing is lost on the way, at any depth: JSON.parse alone lets the last of two `amount`s
 * win without a word, and takes 0.99999999999999999 for 1.
 */
import { parseDecimal } from '../../ledger/money.ts'
import { endsValue, parseObject, skipString, withoutNumbers } from '../members.ts'
import { ProblemError } from '../problem.ts'

/** Throws a SyntaxError where the text is no JSON object, a ProblemError that names the member where one is lost. */
export function readExactly(text: string): object {
  const value = parseObject(text)
  const lost = whatIsLost(text)
  if (lost !== undefined) throw new ProblemError('invalid_request', lost)
  return value
}

/** An object or array that is open: the names it had so far, or none in an array, and where in it the reading is. */
type Level = { readonly names: Set<string> | undefined; at: string | number }

/** The first member that is given twice, or whose number is not the one that was written. The text is JSON. */
function whatIsLost(text: string): string | undefined {
  const levels: Level[] = []
  let expectsName = false
  for (let at = 0; at < text.length; ) {
    const level = levels.at(-1)
    const char = text[at] as string
    let end = at + 1
    if (char === '{' || char === '[') {
      levels.push(char === '{' ? { names: new Set(), at: '' } : { names: undefined, at: 0 })
      expectsName = char === '{'
    } else if (char === '}' || char === ']') levels.pop()
    else if (char === ',' && level !== undefined) {
      expectsName = level.names !== undefined
      if (typeof level.at === 'number') level.at += 1
    } else if (char === '"') {
      end = skipString(text, at)
      if (expectsName && level?.names !== undefined) {
        level.at = JSON.parse(text.slice(at, end)) as string
        if (level.names.has(level.at)) return `${pathOf(levels)} is given more than once`
        level.names.add(level.at)
        expectsName = false
      }
    } else if (char === '-' || (char >= '0' && char <= '9')) {
      while (!endsValue(text.charCodeAt(end))) end += 1
      if (!isExact(text.slice(at, end)))
        return `${pathOf(levels)} must be integer, written with digits that a number keeps`
    }
    at = end
  }
  return undefined
}

function pathOf(levels: readonly Level[]): string {
  return withoutNumbers(levels.map(({ at }) => at).join('.'))
}

/** Whether the number that JSON.parse makes of a literal is the one that its digits say. */
function isExact(literal: string): boolean {
  const read = parseDecimal(literal.replace(/^-/, ''))
  if ('problem' in read) return read.problem === 'amount_not_positive'
  return read.decimal === String(Math.abs(Number(literal)))
}
