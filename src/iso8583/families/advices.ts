/** 0220, 0400 and 0420: what already happened. Answered 00 always, but where there is no such terminal, or not yet. */
import type { Advise } from '../../ledger/atm-commands.ts'
import { isReference, type Original } from '../../ledger/trace.ts'
import { answerCodes, approved, isPassing, wrongTerminal } from '../answer-codes.ts'
import { type Answered, type Ask, cardOf, type Desk, refused, submit } from '../desk.ts'
import {
  accountIn,
  amountIn,
  isInquiry,
  type NotesSaid,
  notesIn,
  type Request,
  referenceIn,
} from '../request.ts'

type Says = Advise['says']

/** 0220: what was dispensed, all in all, or that nobody knows. */
export function complete(desk: Desk, ask: Ask): Promise<Answered> {
  const { fields } = ask
  const amount = amountIn(fields[4])
  const notes = notesIn(fields[48])
  const isClear = amount !== undefined && notes !== undefined && isWhole(notes)
  return advise(desk, ask, { says: { amount: amount ?? 0, ...(notes ?? { units: {} }) }, isClear })
}

/** Notes that were rejected are nothing without those that left, where these are known. */
function isWhole({ units, rejected, outcome }: NotesSaid): boolean {
  return rejected === undefined || outcome !== undefined || Object.keys(units).length > 0
}

/** 0400, 0420: it was not done, or less of it than was asked: field 95 is what of it stands, where somebody knows. */
export function reverse(desk: Desk, ask: Ask): Promise<Answered> {
  const { fields } = ask
  const asked = amountIn(fields[4])
  const stands = fields[95] === undefined ? 0 : amountIn(fields[95].slice(0, 12))
  const notes = notesIn(fields[48]) ?? { units: {} }
  const isNothing = !stands && notes.outcome === undefined
  const says: Says = isNothing ? 'nothing' : { amount: stands ?? 0, ...notes }
  const more = {
    ...(asked !== undefined && { asked }),
    ...(isNothing && notes.rejected && { rejected: notes.rejected }),
  }
  return advise(desk, ask, { says, isClear: stands !== undefined, ...more })
}

async function advise(
  desk: Desk,
  ask: Ask,
  { says, isClear, ...more }: Pick<Advise, 'says' | 'asked' | 'rejected'> & { readonly isClear: boolean },
): Promise<Answered> {
  const { terminal, fields, terminalNow } = ask
  // Whoever got no balance, or no statement, takes it back as well: there is nothing to take back.
  if (isInquiry(fields[3])) return refused(approved)
  const { clear, pan } = cardOf(desk, ask)
  const kind = kindIn(fields[3])
  const command: Advise = {
    type: 'advise',
    terminal,
    id: ownId(ask, terminalNow.batch.batch),
    originals: isClear && clear && kind !== 'none' ? originalsIn(ask) : [],
    ...(kind !== undefined && kind !== 'none' && { of: kind }),
    ...(pan && { pan }),
    ...accountIn(fields[102]),
    ...more,
    says,
  }
  const { reply } = await submit(desk, command)
  if (reply.type !== 'refused') return refused(approved)
  if (reply.refusal === 'terminal_not_found') return refused(wrongTerminal)
  const code = answerCodes[reply.refusal]
  return refused(isPassing(code) ? code : approved)
}

const kinds: Readonly<Record<string, NonNullable<Advise['of']>>> = {
  '01': 'withdrawal',
  21: 'deposit',
  40: 'transfer',
  92: 'pin_change',
}

/** What it is of; nothing where it does not say, `none` where it is of something that there is not. */
function kindIn(code: string | undefined): Advise['of'] | 'none' {
  return code === undefined ? undefined : (kinds[code.slice(0, 2)] ?? 'none')
}

function ownId({ message, stamp }: Request, batch: number): string {
  const when = stamp.local ?? stamp.sent
  return ['adv', message.mti.charAt(1) + message.mti.charAt(2), when ?? batch, stamp.stan].join('-')
}

// A type, or none with a STAN behind it: where it is a bare STAN that is filled up, zeros are there.
const typed = /^0[1-8][0-9]{2}|^0000(?!000000)/

/**
 * What it may be about: the STAN in 90, which some fill with zeros from the left; the reference in 37, which most make
 * of the STAN; its own STAN. The clock in 12 and 13 is the original's, by the book.
 */
export function originalsIn({ fields, stamp }: Pick<Request, 'fields' | 'stamp'>): readonly Original[] {
  const local = stamp.local === undefined ? {} : { local: stamp.local }
  const reference = referenceIn(fields)
  const named = fields[90] ?? ''
  const sent = named.slice(10, 20)
  const ofType = typed.test(named)
    ? [{ number: named.slice(4, 10), ...local, ...(/[1-9]/.test(sent) && { sent }) }]
    : []
  // What has a type has other things at its end.
  const isTyped = ofType.some(({ number }) => number !== '000000')
  const bare = !isTyped && /[1-9]/.test(named.slice(-6)) ? [{ number: named.slice(-6), ...local }] : []
  const byReference =
    reference === undefined
      ? []
      : [...new Set([reference, reference.slice(-6)])]
          .filter(isReference)
          .map((number) => ({ number, rrn: reference }))
  const own = { number: stamp.stan, ...local, ...(stamp.sent !== undefined && { sent: stamp.sent }) }
  return [...ofType, ...bare, ...byReference, own]
}
