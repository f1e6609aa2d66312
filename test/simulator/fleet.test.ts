// Simulated machines on the real server: each fault by itself, many at once while the server is killed, and machines
// that lie, which must be found.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { test } from 'node:test'
import { prng } from '../../src/outside/chance.ts'
import { allFaults, type Fault, faultNames, type Odds } from '../../src/simulator/faults.ts'
import { type FleetOptions, fleet, type Verdict } from '../../src/simulator/fleet.ts'
import type { IsoAddress } from '../../src/simulator/iso8583/iso-wire.ts'
import type { Promised } from '../../src/simulator/judge.ts'
import { report } from '../../src/simulator/report.ts'
import type { Site } from '../../src/simulator/site.ts'
import { freePort } from '../iso8583/support.ts'
import { assertProvesHere, launcher, pause, place, type Scope, serve } from '../process/support.ts'
import { seed } from '../support/chance.ts'
import { long, times } from '../support/profile.ts'

const quick = {
  seed,
  seconds: 20,
  thinkMs: 0,
  patienceMs: 300,
  deadMaxMs: 200,
  // Two of REST, and two of ISO 8583, of which one says nothing of what left as it was asked for.
  machines: 4,
  cards: 5,
  operations: 6,
} satisfies Partial<FleetOptions>

function balanced(verdict: Verdict): void {
  assert.deepEqual(verdict.findings, [], report(verdict, seed))
}

// With more of these nothing is ever told.
const oddsAlone: Partial<Record<Fault, number>> = { outage: 0.04, 'late-answer': 0.2 }

/** The real server, which speaks both. */
async function serveBoth(t: Scope, path: string) {
  const iso8583 = { host: '127.0.0.1', port: await freePort() }
  const server = await serve(t, { path, env: { CASHPOINT_ISO8583: addressOf(iso8583) } })
  return { server, url: new URL(server.url), iso8583 }
}

function addressOf({ host, port }: IsoAddress): string {
  return `iso87a://${host}:${port}`
}

test(`each fault by itself leaves everything balanced (SEED=${seed})`, { timeout: 90_000 }, async (t) => {
  const { path } = place(t)
  const { server, ...where } = await serveBoth(t, path)
  const alone = async (name: Fault, i: number) => {
    const odds = { [name]: oddsAlone[name] ?? 0.4 }
    const verdict = await fleet({ ...quick, ...where, odds, prefix: `F${String.fromCharCode(65 + i)}` })
    balanced(verdict)
    assert.deepEqual(
      verdict.sites.map(({ speaks }) => speaks),
      ['rest', 'iso8583', 'rest', 'iso8583'],
    )
    assert.ok(
      [...verdict.faults.keys()].every((happened) => happened === name),
      'nothing else happened',
    )
    unsaid += verdict.sites.reduce((sum, site) => sum + site.unsaid.length, 0)
    return verdict.faults.get(name) ?? 0
  }
  let unsaid = 0
  const counts = await Promise.all(faultNames.map(alone))
  assert.ok(unsaid > 0, 'silence was taken for a dispense')
  t.diagnostic(faultNames.map((name, i) => `${name} ${counts[i]}`).join(', '))
  assert.ok(counts.filter((count) => count > 0).length >= faultNames.length - 1, 'they happened')
  await server.stop()
  assertProvesHere(path)
})

/** Each lie, by what it is found, over ISO 8583 by something else where it says so, and what else must happen. */
const lies: Record<
  string,
  {
    readonly promise: Promised
    readonly iso8583?: Promised
    readonly odds?: Odds
    readonly operations?: number
    lie(site: Site): void
  }
> = {
  'moves the notes of every withdrawal twice': {
    promise: 'customers',
    lie({ device }) {
      const honest = device.dispense.bind(device)
      device.dispense = (order, mishaps) => {
        honest(order)
        return honest(order, mishaps)
      }
    },
  },
  'moves no notes and says that it did': {
    promise: 'cash',
    lie({ device }) {
      device.dispense = ({ id, units }) => ({ id, outcome: 'dispensed', units, rejected: {} })
    },
  },
  'says that nothing left': {
    promise: 'batches',
    lie({ device }) {
      const honest = device.dispense.bind(device)
      device.dispense = (order) => ({ ...honest(order), units: {} })
    },
  },
  'takes a note too many each time and does not know it': {
    promise: 'over_short',
    lie({ device }) {
      const honest = device.dispense.bind(device)
      device.dispense = (order) => {
        const units = Object.fromEntries(Object.entries(order.units).map(([id, count]) => [id, count + 1]))
        return { ...honest({ ...order, units }), units: order.units }
      }
    },
  },
  'forgets to say what left': {
    promise: 'suspects',
    iso8583: 'customers',
    odds: { partial: 0.5 },
    lie({ host }) {
      const honest = host.advise.bind(host)
      host.advise = async (advice, times) => (advice.says === 'left' ? 'taken' : honest(advice, times))
    },
  },
  'forgets that it gave up': {
    promise: 'suspects',
    iso8583: 'customers',
    odds: { 'answer-lost': 0.7 },
    lie({ host }) {
      const honest = host.advise.bind(host)
      host.advise = async (advice, times) => (advice.says === 'nothing' ? 'taken' : honest(advice, times))
    },
  },
  'pays out when it was told not to': {
    promise: 'exceptions',
    lie({ host, device }) {
      const units = { C1: 1 }
      const honest = host.authorize.bind(host)
      let asked = 0
      host.authorize = (ask) => {
        asked = ask.amount
        return honest(ask)
      }
      host.start = async (id) => {
        await host.advise({ id, says: 'nothing', of: 'withdrawal', asked, reason: 'cancelled' }, 0)
        const account = Object.values(device.state.left)[0]?.account ?? ''
        return { yes: { units, account } }
      }
    },
  },
  'keeps what is paid in': {
    // An exchange on the way finds it before the last one does.
    promise: 'over_short',
    operations: 30,
    lie({ device }) {
      device.stack = (id) => device.giveBack(id)
    },
  },
}

test(`machines that lie are found out (SEED=${seed})`, { timeout: 90_000 }, async (t) => {
  const { path } = place(t)
  const { url, iso8583 } = await serveBoth(t, path)
  const found = async (speaks: Site['speaks'], lie: string, i: number) => {
    const { promise, odds = {}, operations = 12, lie: meddle, ...of } = lies[lie] as (typeof lies)[string]
    const broken = of[speaks as 'iso8583'] ?? promise
    const { findings } = await fleet({
      ...quick,
      ...(speaks === 'rest' ? { machines: 2 } : { iso8583 }),
      operations,
      url,
      odds,
      prefix: `${speaks.charAt(0).toUpperCase()}${String.fromCharCode(65 + i)}`,
      meddle: (site) => site.speaks === speaks && meddle(site),
    })
    const first = findings.find((finding) => finding.promise === broken)
    assert.ok(
      first !== undefined,
      `a machine that ${lie} over ${speaks} breaks "${broken}": ${JSON.stringify(findings)}`,
    )
    t.diagnostic(`${speaks}, ${lie}: ${first.what}`)
  }
  const names = Object.keys(lies)
  await Promise.all(
    (['rest', 'iso8583'] as const).flatMap((speaks) => names.map((name, i) => found(speaks, name, i))),
  )
})

test(`a fleet with every fault balances to the note while its host is killed (SEED=${seed})`, {
  timeout: times(90_000, 1_200_000),
}, async (t) => {
  const { path } = place(t)
  const { server: first, url, iso8583 } = await serveBoth(t, path)
  const seconds = times(6, 300)
  const kills = times(2, 20)
  const machines = times(8, 200)
  const chance = prng(seed)
  let kill = first.kill
  let killing = Promise.resolve()
  let isOpen = false
  let killed = 0
  const onPhase = (phase: 'open' | 'closing') => {
    isOpen = phase === 'open'
    if (!isOpen) return
    killing = killAll()
    void watch()
  }
  const killAll = async () => {
    for (let round = 0; round < kills; round += 1) {
      // Some of the time is what it takes to start.
      await pause((seconds * 1_000 * (0.3 + chance(500) / 1_000)) / (kills + 1))
      await kill()
      killed += isOpen ? 1 : 0
      kill = await startOn(t, path, { port: url.port, iso8583 })
    }
  }
  // Where others use the cores, too, little happens in a few seconds: customers come until enough has.
  const seen = { paid: 0, cuts: 0 }
  const tell = (_: string, words: string) => {
    if (/^withdraw .* × /.test(words)) seen.paid += 1
    if (words.startsWith('power lost')) seen.cuts += 1
  }
  const enough = new AbortController()
  const watch = async () => {
    await pause(seconds * 1_000)
    await killing
    while (isOpen && (seen.paid <= machines || seen.cuts === 0)) await pause(50)
    enough.abort()
  }
  const verdict = await fleet({
    url,
    iso8583,
    seed,
    seconds: times(40, seconds),
    signal: enough.signal,
    tell,
    machines,
    cards: 2 * machines,
    odds: allFaults,
    onPhase,
    ...(long ? { thinkMs: 2_500, patienceMs: 3_000, deadMaxMs: 40_000 } : { ...short }),
  }).finally(() => {
    isOpen = false
  })
  await killing
  t.diagnostic(`${killed} kills while customers came\n${report(verdict, seed)}`)
  balanced(verdict)
  assert.ok(verdict.figures.paid > machines, 'cash was paid')
  assert.ok(verdict.line.lost > 0 && verdict.powerCuts > 0)
  await kill()
  assertProvesHere(path)
})

const short = { thinkMs: 150, patienceMs: 400, deadMaxMs: 1_500 }

/**
 * The server on these very ports, ready; gives what kills it. A machine that tried to reach it while it was not there may
 * have one of them for a moment, as the near end of its own connection.
 */
async function startOn(scope: Scope, path: string, { port, iso8583 }: { port: string; iso8583: IsoAddress }) {
  const args = [launcher, 'serve', '--store', `sqlite:${path}`, '--port', port]
  args.push('--iso8583', addressOf(iso8583))
  for (let tries = 0; tries < 100; tries += 1) {
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'ignore'] })
    const exit = new Promise<void>((resolve) => child.once('close', () => resolve()))
    scope.after(async () => {
      child.kill('SIGKILL')
      await exit
    })
    const ready = new Promise<true>((resolve) => child.stdout.once('data', () => resolve(true)))
    if (await Promise.race([ready, exit])) {
      child.stdout.resume()
      return async () => {
        child.kill('SIGKILL')
        await exit
        return { code: null, signal: 'SIGKILL' as const }
      }
    }
    await pause(100)
  }
  throw new Error(`no server on port ${port}`)
}
