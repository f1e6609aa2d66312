/** A bank that can be exchanged behind what was made over it, since making an app anew costs more than most runs. */
import type { Bank } from '../../src/bank/bank.ts'

/** Whoever asks it asks the one that is there now. */
export function bankBehind(current: () => Bank): Bank {
  return new Proxy({} as Bank, {
    get(_, name) {
      const bank = current()
      const member = Reflect.get(bank, name, bank)
      return typeof member === 'function' ? member.bind(bank) : member
    },
  })
}
