/** A terminal's life as a journal: something of everything that its records can say. */
import assert from 'node:assert/strict'
import { nameOf } from '../../src/ledger/entity.ts'
import { cardIdOf } from '../support/atm-words.ts'
import { sayReply } from '../support/v1-words.ts'
import { Journal } from './verify-atm-random.ts'

/** One step a line, as in scenarios; `key=` and `by=` are of the request, `+61s` moves the clock. */
const story = `
terminal T C1:50 C3:10 D1:in R1:reject X1:retract max=500
exchange T as=x
count T x C1=0 C3=0
end T x set C1=10 C3=10
terminal S C1:50 sign-on
service S on
service T on key=k1
card K A,B pin=1234 day=900 count=20
card L B policy=if_present
inquire T K pin=1234 key=k2
authorize T w1 K 60 pin=1234
start T w1
confirm T w1 C1=1 C3=1
authorize T w2 K 60 pin=1234
start T w2
confirm T w2 C1=1 R:C3=1
authorize T w3 K 60 pin=1234
undo T w3
authorize T w4 K 60 pin=1234
+61s
expire T w4
authorize T w5 K 60 pin=1234
start T w5
+301s
expire T w5
resolve e dispensed=20
authorize T i6 K 60 pin=1234 implicit
authorize T i7 L 50 implicit
authorize T w8 K 10 pin=1234
close T 1 key=k3
confirm T i6 C1=1
undo T i7
resolve e dispensed=0
confirm T w8 outcome=retracted
confirm T w8 C3=1
authorize T d1 K 5000 pin=1234
authorize T d2 K 60 pin=9
undo T f1
confirm T f2 C1=1
resolve e
undo T w1
resolve e dispensed=10 key=k4
confirm T w3 C1=1 C3=1
resolve e dispensed=60
authorize T w9 K 100 pin=1234
undo T w9
confirm T w9 C1=2
resolve e dispensed=100 by=ann
resolve e dispensed=100 by=bob
feed T p1 A 50:2
unfeed T p1
feed T p2 A 20:1
send T s1 K B 30 pin=1234
repin T c1 K pin=1234 new=4321
unfeed T p3
authorize T w10 K 60 pin=4321
start T w10
confirm T w10 C1=2
confirm T w10 C1=2 C3=1
exchange T as=y key=k5
count T y C1=5 C3=5 D1=20:1 R1=10:1 key=k6
end T y set C1=10 C3=10 w10:70 key=k7
unfeed T p2
block K blocked
unblock K
service S off
close T 2
`

export function storyJournal(): Journal {
  const journal = new Journal()
  const open = (number: string, limits: object) =>
    journal.command({
      type: 'open_account',
      number,
      currency: 'USD',
      overdraft_limit: 0,
      minimum_balance: 0,
      metadata: {},
      limits,
    })
  open('A', { daily_amount: 2000, daily_count: 50 })
  open('B', {})
  journal.command({ type: 'move', from: null, to: 'A', amount: 1000, currency: 'USD' })
  journal.command({ type: 'move', from: null, to: 'B', amount: 1000, currency: 'USD' })
  for (const line of story.trim().split('\n')) take(journal, line)
  const cards = [cardIdOf('L')]
  journal.command({ type: 'know_keys', values: { pin: 'abcdef' } })
  journal.command({ type: 'open_demo', terminal: 'T', cards })
  journal.command({ type: 'create_credential', role: 'admin', name: 'ann' })
  return journal
}

function take(journal: Journal, line: string): void {
  const wait = /^\+([0-9]+)s$/.exec(line)
  if (wait !== null) {
    journal.now += Number(wait[1]) * 1000
    return
  }
  // The exception that is open, if one is.
  const [open] = journal.books.waiting(nameOf.exception(''))
  if (open?.kind === 'exception') journal.ids.set('e', open.id)
  const key = / key=(\S+)/.exec(line)?.[1]
  const actor = / by=(\S+)/.exec(line)?.[1] ?? ''
  const words = line.replace(/ (as|key)=\S+/g, '')
  const { reply } = journal.step(words, { actor, ...(key !== undefined && { key: { scope: '', key } }) })
  const isDecline = /^authorize T d/.test(line)
  assert((reply.type === 'refused') === isDecline, `${line}: ${sayReply(reply)}`)
  const name = / as=(\S+)/.exec(line)?.[1]
  if (name !== undefined && reply.type === 'exchange_open') journal.ids.set(name, reply.exchange)
}
