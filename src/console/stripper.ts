/** The thread that takes the types out of the pages' modules: what it needs for that leaves the memory with it. */
import { stripTypeScriptTypes } from 'node:module'
import { parentPort, workerData } from 'node:worker_threads'

const sources = workerData as readonly string[]
parentPort?.postMessage(sources.map((source) => stripTypeScriptTypes(source)))
