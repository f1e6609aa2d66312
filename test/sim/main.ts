/**
 * The simulator for people: `npm run sim -- SEED`, `--seeds N` from a base, `--forever`. A seed that fails is made
 * smaller and kept as a scenario, and the exit code is 1.
 */
import { Front } from './front.ts'
import { type Result, run } from './run.ts'
import { keep, shrink } from './shrink.ts'

const usage = 'usage: npm run sim -- SEED | --seeds COUNT [--from SEED] | --forever [--from SEED] [--trace]'

type Wanted = { readonly from: number; readonly count: number; readonly trace: boolean }

/** What the arguments ask for; undefined where they ask for nothing that there is. */
function read(args: readonly string[]): Wanted | undefined {
  let [from, count, trace]: [number | undefined, number | undefined, boolean] = [undefined, undefined, false]
  const rest = [...args]
  const whole = (text: string | undefined) => (/^[0-9]{1,9}$/.test(text ?? '') ? Number(text) : Number.NaN)
  for (let arg = rest.shift(); arg !== undefined; arg = rest.shift()) {
    if (arg === '--trace') trace = true
    else if (arg === '--forever' && count === undefined) count = Infinity
    else if (arg === '--seeds' && count === undefined) count = whole(rest.shift())
    else if (arg === '--from' && from === undefined) from = whole(rest.shift())
    else if (count === undefined && from === undefined) [from, count] = [whole(arg), 1]
    else return undefined
  }
  const base = from ?? Date.now() % 1_000_000
  if (count === undefined || count === 0 || Number.isNaN(count) || Number.isNaN(base)) return undefined
  return { from: base, count, trace }
}

function tellRun({ hash, operations, attempts, commits, virtualMs, faults, violation }: Result): string {
  const seconds = Math.round(virtualMs / 1000)
  return [
    `trace ${hash}`,
    `${operations} operations in ${attempts} requests and ${commits} commits, ${seconds} s of virtual time`,
    `faults: ${tellFaults(faults)}`,
    violation === undefined ? 'nothing is wrong' : `WRONG: ${violation}`,
  ].join('\n')
}

function tellFaults(faults: ReadonlyMap<string, number>): string {
  const told = [...faults].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, count]) => `${name} ${count}`)
  return told.join(' · ') || 'none'
}

/** What was done so far, and how fast. */
class Tally {
  readonly #startedMs = performance.now()
  seeds = 0
  #operations = 0
  #requests = 0
  #undecided = 0
  readonly #faults = new Map<string, number>()

  add({ operations, attempts, undecided, faults }: Result): void {
    this.seeds += 1
    this.#operations += operations
    this.#requests += attempts
    this.#undecided += undecided
    for (const [name, count] of faults) this.#faults.set(name, (this.#faults.get(name) ?? 0) + count)
  }

  tell(): string {
    const seconds = (performance.now() - this.#startedMs) / 1000
    const rate = (count: number) => (count / seconds).toFixed(1)
    return [
      `${this.seeds} seeds (${rate(this.seeds)} a second), ${this.#operations} operations (${rate(this.#operations)} a second), ${this.#requests} requests`,
      `faults: ${tellFaults(this.#faults)}`,
      ...(this.#undecided > 0 ? [`${this.#undecided} histories were too tangled to be judged`] : []),
    ].join('\n')
  }
}

async function main({ from, count, trace }: Wanted): Promise<number> {
  const front = await Front.open()
  const tally = new Tally()
  let stopped = false
  process.once('SIGINT', () => {
    stopped = true
  })
  for (let seed = from; seed < from + count && !stopped; seed += 1) {
    const result = await run({ seed }, front)
    tally.add(result)
    if (trace) console.log(result.trace.join('\n'))
    if (count === 1) console.log(tellRun(result))
    if (result.violation !== undefined) {
      console.log(`seed ${seed} fails: ${result.violation}`)
      const smallest = await shrink(result, front)
      console.log(`smallest: ${JSON.stringify(smallest.options)}\n${smallest.violation}`)
      console.log(`kept as test/sim/scenarios/${keep(smallest)}`)
      console.log(tally.tell())
      return 1
    }
    if (count > 1 && tally.seeds % 500 === 0) console.log(`up to seed ${seed}: ${tally.tell()}`)
  }
  console.log(
    count === 1 ? tally.tell().split('\n', 1)[0] : `from seed ${from}: ${tally.tell()}\nnothing is wrong`,
  )
  return 0
}

const wanted = read(process.argv.slice(2))
if (wanted === undefined) console.error(usage)
process.exitCode = wanted === undefined ? 2 : await main(wanted)
