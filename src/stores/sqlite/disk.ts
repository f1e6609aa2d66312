/** What the store's files take and what the disk has left. */
import { statfsSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Files } from './files.ts'

/** Bytes that an ordinary process may still write on the store's disk. */
export function freeBytes({ journal }: Files): number {
  const { bavail, bsize } = statfsSync(dirname(journal))
  return bavail * bsize
}

export function storeBytes({ journal, index }: Files): number {
  const files = [journal, index].flatMap((file) => [file, `${file}-wal`])
  return files.reduce((sum, file) => sum + (statSync(file, { throwIfNoEntry: false })?.size ?? 0), 0)
}
