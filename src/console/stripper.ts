/** The thread that takes the types out of the pages' modules: what it needs for that leaves the memory with it. */
import { stripTypeScriptTypes } from 'node:module'
import { parentPort, workerData } from 'node:worker_threads'

const sources = workerData as readonly string[]
parentPort?.postMessage(sources.map(stripped))

/** Types leave as many blanks as they were long, which go too; each line stays where it was written. */
function stripped(source: string): string {
  const code = stripTypeScriptTypes(source)
  if (code.length !== source.length) return code
  return code.replace(/ /g, (blank, at: number) => (source[at] === ' ' ? blank : ''))
}
