/** Chance that a seed replays. */

export { type Chance, prng } from '../../src/outside/chance.ts'

/** The seed of this run: from the environment where a run is to be repeated. */
export const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000)
