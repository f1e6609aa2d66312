'use strict'
// Which Node Cashpoint needs, and where to find it. Plain JavaScript that Node 18 reads,
// since it is there to say that a Node is too old.

const { existsSync, readFileSync } = require('node:fs')
const { dirname, join } = require('node:path')

// 24.15 is the first with a stable node:sqlite whose SQLite cannot lose a write at a WAL reset.
const OLDEST = '24.15'

/** Whether a version such as "24.15.0" is at least the oldest that runs Cashpoint. */
function newEnough(version) {
  const [major, minor] = version.split('.').map(Number)
  const [oldestMajor, oldestMinor] = OLDEST.split('.').map(Number)
  return major > oldestMajor || (major === oldestMajor && minor >= oldestMinor)
}

/** The Node which packaging/node24-runtime brought into node_modules, where it did. */
function installedNode() {
  let manifest
  try {
    manifest = require.resolve('node/package.json')
  } catch {
    return undefined
  }
  if (!newEnough(JSON.parse(readFileSync(manifest, 'utf8')).version)) return undefined
  const name = process.platform === 'win32' ? 'node.exe' : 'node'
  const path = join(dirname(manifest), 'bin', name)
  return existsSync(path) ? path : undefined
}

/** The one line a reader with too old a Node gets. */
function tooOld(version) {
  return `Cashpoint needs Node ${OLDEST} or newer and this is Node ${version}: install it from nodejs.org, or let "npm ci" bring one, with install scripts allowed.`
}

module.exports = { newEnough, installedNode, tooOld }
