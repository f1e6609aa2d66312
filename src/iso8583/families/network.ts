/** 0800: a terminal signs on or off, or asks whether anybody is there. */
import { approved, notSupported } from '../answer-codes.ts'
import { type Answered, type Ask, type Desk, no, refused, submit } from '../desk.ts'
import type { Message } from '../message/index.ts'

const echoes = ['301', '061']
const signs: Readonly<Record<string, boolean>> = { '001': true, '002': false }

/** What is answered without asking anybody: an echo, and whoever names no terminal. Undefined for the others. */
export function answerOfLine({ fields }: Message): Answered | undefined {
  const code = fields[70] ?? ''
  const isSign = code in signs
  if (echoes.includes(code) || (isSign && fields[41] === undefined)) return refused(approved)
  return isSign ? undefined : refused(notSupported)
}

export async function sign(desk: Desk, { terminal, fields }: Ask): Promise<Answered> {
  const on = signs[fields[70] ?? ''] === true
  const { reply } = await submit(desk, { type: 'sign', terminal, on })
  return reply.type === 'refused' ? no(desk, reply) : refused(approved)
}
