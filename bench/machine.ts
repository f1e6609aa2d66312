/** What a run was made on: no figure means anything without it. */
import { execFileSync } from 'node:child_process'
import { closeSync, fdatasyncSync, openSync, readFileSync, rmSync, statfsSync, writeSync } from 'node:fs'
import { availableParallelism, cpus, loadavg, release, totalmem, type } from 'node:os'
import { join } from 'node:path'
import { median } from './figures.ts'

export type Machine = Readonly<Record<string, string>>

export function readMachine(directory: string, generator: string): Machine {
  return {
    processor: `${cpus()[0]?.model.trim()}, ${availableParallelism()} cores`,
    memory: `${Math.round(totalmem() / 2 ** 30)} GiB`,
    system: systemName(),
    disk: `fdatasync of 4 KiB ${syncMs(directory).toFixed(2)} ms${isMemory(directory) ? ' (IN MEMORY: nothing here is durable)' : ''}`,
    node: process.version,
    sqlite: process.versions['sqlite'] ?? 'unknown',
    'load generator': generator,
    // Anything near 1 here, and somebody else had a core.
    'load average before': (loadavg()[0] ?? 0).toFixed(2),
    commit: commitName(),
    date: new Date().toISOString(),
  }
}

function systemName(): string {
  try {
    const name = /^PRETTY_NAME="?([^"\n]+)/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1]
    return `${name}, ${type()} ${release()}`
  } catch {
    return `${type()} ${release()}`
  }
}

/** Median of 100 small appends, each synced: what a commit cannot be faster than. */
function syncMs(directory: string): number {
  const path = join(directory, 'sync-probe')
  const file = openSync(path, 'w')
  const block = Buffer.alloc(4096, 1)
  const times = Array.from({ length: 100 }, () => {
    const startedMs = performance.now()
    writeSync(file, block)
    fdatasyncSync(file)
    return performance.now() - startedMs
  })
  closeSync(file)
  rmSync(path)
  return median(times)
}

const tmpfs = 0x01021994

function isMemory(directory: string): boolean {
  return process.platform === 'linux' && statfsSync(directory).type === tmpfs
}

function commitName(): string {
  const git = (...args: string[]) => execFileSync('git', args, { encoding: 'utf8', stdio: 'pipe' }).trim()
  try {
    const changed = git('status', '--porcelain', '--', 'src', 'bench', 'package.json') !== ''
    return git('rev-parse', '--short', 'HEAD') + (changed ? ' with uncommitted changes' : '')
  } catch {
    return 'unknown'
  }
}
