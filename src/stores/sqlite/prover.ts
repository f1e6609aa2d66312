/** The thread of one pass of verification: it reads by itself and says how far it has come, then what it found. */
import { parentPort, workerData } from 'node:worker_threads'
import type { BlockRange, ChainProven, ProofProgress } from '../../bank/store.ts'
import type { Fault, Proven } from '../../ledger/verify.ts'
import { prove } from './prove.ts'

export type ProverOptions = { readonly path: string; readonly range: BlockRange }

export type ProverMessage =
  | { readonly progress: ProofProgress }
  | { readonly found: Fault | Proven | ChainProven }

const { path, range } = workerData as ProverOptions
post({ found: prove(path, range, (progress) => post({ progress })) })

function post(message: ProverMessage): void {
  parentPort?.postMessage(message)
}
