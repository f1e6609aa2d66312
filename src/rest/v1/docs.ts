/** The page at /docs: reads /openapi.json and lays it out. It asks nobody else for anything, and its policy says so. */
import { createHash } from 'node:crypto'

const style = `
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #1c2330 }
h1 { margin-bottom: 0 } summary { cursor: pointer; padding: .4rem 0; border-top: 1px solid #dde }
code, pre { font: 13px/1.45 ui-monospace, monospace } pre { background: #f5f6fa; padding: .7rem; overflow: auto }
.GET { color: #0a6 } .POST { color: #06c } b { display: inline-block; width: 3.5rem } td { padding: .1rem .8rem .1rem 0; vertical-align: top }
`

const script = `
const make = (name, text, className) => Object.assign(document.createElement(name), { textContent: text ?? '', className: className ?? '' })
const { info, paths, components } = await (await fetch('/openapi.json')).json()
const main = document.querySelector('main')
main.append(make('h1', info.title), make('p', info.description))
for (const [path, methods] of Object.entries(paths)) for (const [method, of] of Object.entries(methods)) {
  const details = make('details')
  const summary = make('summary')
  summary.append(make('b', method.toUpperCase(), method.toUpperCase()), make('code', path), ' — ' + of.summary)
  details.append(summary)
  const table = make('table')
  for (const { name, in: where, description } of of.parameters) {
    const row = make('tr')
    row.append(make('td', name), make('td', where), make('td', description))
    table.append(row)
  }
  details.append(table)
  const body = of.requestBody?.content['application/json'].schema
  if (body) details.append(make('h4', 'Body'), make('pre', JSON.stringify(body, null, 2)))
  for (const [status, { $ref, ...own }] of Object.entries(of.responses)) {
    const reply = $ref ? components.responses[$ref.split('/').at(-1)] : own
    const schema = reply.content['application/json']?.schema
    details.append(make('h4', status + ' ' + (schema ? '' : reply.description)))
    if (schema) details.append(make('pre', JSON.stringify(schema, null, 2)))
  }
  main.append(details)
}
main.append(make('h2', 'Schemas'))
for (const [name, schema] of Object.entries(components.schemas)) {
  const details = make('details')
  const summary = make('summary')
  summary.append(make('code', name))
  details.append(summary, make('pre', JSON.stringify(schema, null, 2)))
  main.append(details)
}
`

export const docsPage = `<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Cashpoint API</title>
<style>${style}</style><main></main><script type="module">${script}</script></html>
`

export const docsPolicy = `default-src 'none'; connect-src 'self'; style-src '${hashOf(style)}'; script-src '${hashOf(script)}'`

function hashOf(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`
}
