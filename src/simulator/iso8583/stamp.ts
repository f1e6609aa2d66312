/**
 * How a machine that speaks ISO 8583 tells its transactions apart: by STAN and by its clock, which both stay for the
 * transaction's life. Together they are its name here, `000042-1123142530`; the host calls it
 * `iso-1-000042-1123142530`, with the batch, which the machine does not know.
 */

export type Stamp = {
  readonly stan: string
  /** MMDDhhmmss of its clock, which shows UTC. */
  readonly local: string
}

const form = /^([0-9]{6})-([0-9]{10})$/

export function isStamp(id: string): boolean {
  return form.test(id)
}

export function stampOf(stan: string, nowMs: number): Stamp {
  return { stan, local: clockAt(nowMs) }
}

export function idOf({ stan, local }: Stamp): string {
  return `${stan}-${local}`
}

export function stampIn(id: string): Stamp {
  const [, stan = '', local = ''] = form.exec(id) ?? []
  if (stan === '') throw new Error(`${id} is a STAN and a time`)
  return { stan, local }
}

/** The machine's own name in one of the host's; that itself where it is none. */
export function ownIdIn(named: string): string {
  return /^iso-[0-9]+-([0-9]{6}-[0-9]{10})$/.exec(named)?.[1] ?? named
}

export function clockAt(nowMs: number): string {
  return new Date(nowMs).toISOString().replace(/\D/g, '').slice(4, 14)
}
