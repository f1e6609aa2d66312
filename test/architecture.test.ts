/** Reads the import lines of every file in src: they point one way, and what DESIGN.md §4 keeps apart stays apart. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join, posix, sep } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

type Source = { readonly file: string; readonly code: string }

/**
 * What the files under a path may import beside each other: files of src by their path, Node's modules as `node:`,
 * packages as `npm:`; a name that ends in `/` or `:` stands for all that begin so. The first that fits a file counts.
 */
const directions: readonly { readonly from: string; readonly may: readonly string[] }[] = [
  { from: 'ledger/', may: ['node:assert'] },
  { from: 'bank/', may: ['ledger/', 'node:'] },
  { from: 'stores/memory/', may: ['bank/', 'ledger/', 'node:'] },
  { from: 'stores/sqlite/', may: ['bank/', 'ledger/', 'node:'] },
  { from: 'stores/postgres/', may: ['bank/', 'ledger/', 'node:', 'npm:pg'] },
  { from: 'telemetry/', may: ['node:', 'npm:'] },
  { from: 'watch/', may: ['bank/', 'ledger/'] },
  { from: 'access/', may: ['bank/', 'ledger/', 'node:', 'npm:jose'] },
  // Types of the ledger, and nothing of ours that could keep or tell what it sees.
  { from: 'vault/', may: ['ledger/card.ts', 'ledger/pin.ts', 'ledger/terminal.ts', 'node:'] },
  { from: 'rest/', may: ['access/', 'watch/', 'bank/', 'ledger/', 'telemetry/', 'vault/', 'node:', 'npm:'] },
  // An interface, too: what is sent are the events of /v1.
  { from: 'webhooks/', may: ['bank/', 'ledger/', 'rest/v1/event.ts', 'node:'] },
  // For others' programs, too: it needs nothing.
  { from: 'iso8583/message/', may: [] },
  { from: 'iso8583/', may: ['bank/', 'ledger/', 'vault/', 'node:'] },
  // For browsers: of the rest of src they know the client alone.
  { from: 'console/web/', may: ['client/', 'npm:preact', 'npm:preact/hooks', 'npm:htm', 'npm:uplot'] },
  { from: 'console/', may: ['access/', 'rest/', 'node:', 'npm:fastify'] },
  // Programs that ask a deployment from outside, and know it by its answers alone.
  { from: 'outside/', may: ['node:'] },
  { from: 'torture/', may: ['outside/', 'node:'] },
  {
    from: 'simulator/',
    may: ['outside/', 'iso8583/message/', 'vault/cipher.ts', 'vault/pin-block.ts', 'node:'],
  },
  {
    from: 'cli/',
    may: [
      'access/',
      'watch/',
      'webhooks/',
      'bank/',
      'ledger/',
      'stores/',
      'rest/',
      'console/',
      'telemetry/',
      'torture/',
      'simulator/',
      'iso8583/',
      'vault/',
      'node:',
      'npm:',
    ],
  },
  // For browsers, too: what it is of other files are types alone.
  { from: 'client/', may: ['rest/v1/schemas.ts', 'npm:typebox'] },
  // Beside the commands, what it needs to tell an operator's mistake from ours.
  { from: 'main.ts', may: ['cli/', 'bank/store.ts', 'rest/listen-error.ts'] },
]

const src = fileURLToPath(new URL('../src/', import.meta.url))

const sources: readonly Source[] = readdirSync(src, { recursive: true, encoding: 'utf8' })
  .filter((file) => /\.[cm]?[jt]sx?$/.test(file))
  .map((file) => ({ file: file.split(sep).join('/'), code: readFileSync(join(src, file), 'utf8') }))

const importPatterns = [
  /^\s*(?:import|export)\s[^'"`;]*?\bfrom\s*['"]([^'"]+)['"]/gm,
  /^\s*import\s*['"]([^'"]+)['"]/gm,
  /\b(?:import|require)\(\s*['"`]([^'"`]+)['"`]/g,
]
// A thread, or a file that is read: always beside the one that names it.
const urlPattern = /\bnew URL\(\s*['"`]([^'"`]+)['"`]\s*,\s*import\.meta\.url/g

/** Everything a file names: imported, re-exported, loaded later, started as a thread. */
function importsOf({ file, code }: Source): string[] {
  const beside = (name: string) => posix.join(posix.dirname(file), name)
  const namesBy = (pattern: RegExp) => [...code.matchAll(pattern)].map(([, name = '']) => name)
  const modules = importPatterns.flatMap(namesBy).map((name) => {
    if (name.startsWith('.')) return beside(name)
    return name.startsWith('node:') ? name : `npm:${name}`
  })
  return [...modules, ...namesBy(urlPattern).map(beside)]
}

function wrongImports(source: Source): string[] {
  const direction = directions.find(({ from }) => source.file.startsWith(from))
  if (direction === undefined) return [`${source.file} is in no folder that this test knows`]
  const may = [direction.from, ...direction.may]
  const isAllowed = (name: string) =>
    may.some((allowed) => (/[/:]$/.test(allowed) ? name.startsWith(allowed) : name === allowed))
  return importsOf(source)
    .filter((name) => !isAllowed(name))
    .map((name) => `${source.file} imports ${name}`)
}

/** The code without its comments, which may speak of anything. */
function withoutComments(code: string): string {
  return code.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(?<![:'"`\\])\/\/.*$/gm, '')
}

// Statements, not words: `select` and `from` also stand in import lines and in English.
const sql = new RegExp(
  [
    /\bselect\s+(?:[^;}]|\$\{[^}]*\})+?\s+from\s+\w/,
    /\binsert\s+(?:or\s+\w+\s+)?into\s+\w/,
    /\bupdate\s+(?:or\s+\w+\s+)?\w+\s+set\s+\w/,
    /\bdelete\s+from\s+\w/,
    /\b(?:create|drop|alter)\s+(?:unique\s+)?(?:table|index|trigger|view)\s+\w/,
    /\bpragma\s+\w/,
    /['"`]\s*(?:begin|commit|rollback)\b(?:\s+(?:immediate|exclusive|transaction))?\s*(?:;.*)?['"`]/,
  ]
    .map(({ source }) => source)
    .join('|'),
  'i',
)

test('imports point one way: main, cli, rest, bank, ledger', () => {
  assert.deepEqual(sources.flatMap(wrongImports), [])
})

test('every direction is of a folder that is there', () => {
  const idle = directions.filter(({ from }) => !sources.some(({ file }) => file.startsWith(from)))
  assert.deepEqual(idle, [])
})

test('only cli sees both the stores and the interfaces', () => {
  const both = sources.filter((source) => {
    const imports = importsOf(source)
    return ['stores/', 'rest/'].every((folder) => imports.some((name) => name.startsWith(folder)))
  })
  for (const { file } of both) assert.match(file, /^cli\//)
})

test('only stores contain SQL', () => {
  const with_ = sources.filter(({ code }) => sql.test(withoutComments(code)))
  assert.deepEqual(
    with_.map(({ file }) => file).filter((file) => !file.startsWith('stores/')),
    [],
  )
  assert(
    with_.some(({ file }) => file === 'stores/sqlite/load.ts'),
    'the search finds what there is',
  )
})

test('only stores know a database', () => {
  const databases = ['node:sqlite', 'npm:pg', 'npm:better-sqlite3']
  const knowing = sources.filter((source) => importsOf(source).some((name) => databases.includes(name)))
  assert(knowing.length > 0)
  for (const { file } of knowing) assert.match(file, /^stores\//)
})

test('only the vault enciphers and deciphers', () => {
  const knowing = sources.filter(({ code }) => /\bcreate(?:Dec|C)ipheriv\b/.test(withoutComments(code)))
  assert(knowing.length > 0)
  for (const { file } of knowing) assert.match(file, /^vault\//)
})

test('the ledger asks no clock, takes no chance and waits for nothing', () => {
  const impure =
    /\b(?:Date\.now|new Date|performance\.|process\.|Math\.random|randomUUID|crypto|setTimeout|setImmediate|queueMicrotask|async|await|Promise|console\.)/
  for (const { file, code } of sources)
    if (file.startsWith('ledger/')) assert.doesNotMatch(withoutComments(code), impure, file)
})

test('this test would see a wrong import, however it is written', () => {
  const wrong = (file: string, code: string) => wrongImports({ file, code })
  const store = 'stores/sqlite/store.ts'
  for (const code of [
    `import { SqliteStore } from '../stores/sqlite/store.ts'`,
    `import type { SqliteStore } from "../stores/sqlite/store.ts"`,
    `import {\n  type A,\n  B,\n} from '../stores/sqlite/store.ts'`,
    `import * as all from '../stores/sqlite/store.ts'`,
    `import '../stores/sqlite/store.ts'`,
    `export { SqliteStore } from '../stores/sqlite/store.ts'`,
    `export * from '../stores/sqlite/store.ts'`,
    `const { SqliteStore } = await import('../stores/sqlite/store.ts')`,
    `new Worker(new URL('../stores/sqlite/store.ts', import.meta.url))`,
    `import { ok } from '../bank/bank.ts'\nimport { SqliteStore } from './../stores/sqlite/store.ts'`,
  ])
    assert.deepEqual(wrong('rest/x.ts', code), [`rest/x.ts imports ${store}`], code)

  assert.deepEqual(wrong('ledger/x.ts', `import { hash } from 'node:crypto'`), [
    'ledger/x.ts imports node:crypto',
  ])
  assert.deepEqual(wrong('console/web/x.ts', `import { a } from '../routes.ts'`).length, 1)
  assert.deepEqual(wrong('bank/x.ts', `import pino from 'pino'`), ['bank/x.ts imports npm:pino'])
  assert.deepEqual(wrong('stores/memory/x.ts', `import { a } from '../sqlite/load.ts'`).length, 1)
  assert.deepEqual(wrong('main.ts', `import { Bank } from './bank/bank.ts'`).length, 1)
  assert.deepEqual(wrong('new/x.ts', '').length, 1)
  assert.deepEqual(
    wrong('ledger/x.ts', `import assert from 'node:assert'\nimport { a } from './books.ts'`),
    [],
  )
})

test('this test would see SQL, and takes no English for it', () => {
  for (const code of [
    '`select number from accounts`',
    "'select *\\n from accounts where number = ?'",
    '`insert into records (a) values (1)`',
    "'insert or replace into records values (1)'",
    "'UPDATE accounts SET ledger = 1'",
    "'delete from keys'",
    "'create table x (y)'",
    "'pragma synchronous = full'",
    "'begin immediate'",
    '"commit"',
  ])
    assert.match(withoutComments(code), sql, code)
  for (const code of [
    `import { select } from './x.ts'`,
    '// select one from two',
    '/** An update sets it; select what to insert into it. */',
    "'the account is deleted from here'",
    "'https://example.com/select'",
    'store.commit(batch)',
    'const begin = 1',
  ])
    assert.doesNotMatch(withoutComments(code), sql, code)
})
