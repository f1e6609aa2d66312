/** A SQLite database as SQL text, and back: what a fixture of an old store is kept as. */
import { DatabaseSync, type SQLOutputValue } from 'node:sqlite'

type Row = Record<string, SQLOutputValue>

/** All there is in a database as statements: a row is one line. */
export function dump(path: string): string {
  const db = new DatabaseSync(path, { readOnly: true })
  const schema = db
    .prepare("select type, name, sql from sqlite_schema where sql is not null and name not like 'sqlite_%'")
    .all() as Row[]
  const tables = schema.filter(({ type }) => type === 'table').map(({ name }) => String(name))
  const number = (name: string) => Number(db.prepare(`pragma ${name}`).get()?.[name])
  const lines = [
    ...['application_id', 'user_version'].map((name) => `pragma ${name} = ${number(name)};`),
    ...schema.filter(({ type }) => type === 'table').map(({ sql }) => `${sql};`),
    ...tables.flatMap((table) => db.prepare(`select * from ${table}`).all().map(insertInto(table))),
    // Behind the rows: among them are triggers that refuse a row out of order.
    ...schema.filter(({ type }) => type !== 'table').map(({ sql }) => `${sql};`),
  ]
  db.close()
  return `${lines.join('\n')}\n`
}

function insertInto(table: string): (row: Row) => string {
  return (row) => `insert into ${table} values (${Object.values(row).map(literal).join(', ')});`
}

function literal(value: SQLOutputValue): string {
  if (value === null) return 'null'
  if (typeof value === 'string') return `'${value.replaceAll("'", "''")}'`
  if (value instanceof Uint8Array) return `x'${Buffer.from(value).toString('hex')}'`
  return String(value)
}

/** Makes the database that a dump was made of. */
export function load(path: string, sql: string): void {
  const db = new DatabaseSync(path)
  db.exec(`pragma journal_mode = wal; begin; ${sql} commit`)
  db.close()
}
