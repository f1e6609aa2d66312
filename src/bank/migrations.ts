/** The numbered files that bring a store's schema forward, each with its checksum: old ones are never edited. */
import { readdirSync, readFileSync } from 'node:fs'
import { sha256 } from './batch.ts'

export type Migration = {
  readonly number: number
  readonly name: string
  readonly sql: string
  readonly checksum: string
}

/** The migrations in a folder, in their order: files such as `0001-journal.sql`. */
export function readMigrations(folder: URL): readonly Migration[] {
  return readdirSync(folder)
    .filter((name) => /^\d+-.*\.sql$/.test(name))
    .sort()
    .map((name) => {
      const sql = readFileSync(new URL(name, folder), 'utf8')
      return { number: Number.parseInt(name, 10), name, sql, checksum: sha256(sql) }
    })
}
