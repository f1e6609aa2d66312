'use strict'
// Runs before npm's scripts: `install.cjs run` sees to what running needs, `install.cjs all` also to what
// tests and checks need. It compares node_modules with package-lock.json and keeps no mark of its own, so
// that each of the two, and an `npm ci` by hand, counts for the other. Plain JavaScript that Node 18 reads.

const { spawnSync } = require('node:child_process')
const { existsSync, readFileSync, rmSync } = require('node:fs')
const { basename, delimiter, join } = require('node:path')
const { newEnough, installedNode, tooOld } = require('./node-version.cjs')

const ROOT = join(__dirname, '..')

function main(wanted) {
  const packages = lockedPackages()
  const missing = whatIsMissing(packages, wanted === 'all')
  if (missing === undefined) return 0

  // Someone who runs tests here keeps what they need when `npm start` brings a package up to date.
  const withDev = wanted === 'all' || packages.some(({ dev, path }) => dev && installedVersion(path))
  console.log(`Installing Cashpoint's packages (${missing}) …`)
  const { status, error } = npmCi(withDev)
  if (status !== 0) {
    console.error(`Cashpoint's packages could not be installed: npm ci ${endedHow(status, error)}.`)
    return status || 1
  }

  if (nodeIsThere()) return 0
  // npm would go on finding it first, and say no more than "not found".
  rmSync(join(ROOT, 'node_modules', '.bin', 'node'), { force: true })
  console.error(`npm brought no Node that runs here. ${tooOld(process.versions.node)}`)
  return 1
}

/** The first reason to install, in words, or undefined. */
function whatIsMissing(packages, withDev) {
  if (!existsSync(join(ROOT, 'node_modules'))) return 'first run only'
  for (const { path, version, dev, optional } of packages) {
    if (dev && !withDev) continue
    const installed = installedVersion(path)
    // npm leaves out an optional package that does not fit the machine.
    if (installed === version || (optional && installed === undefined)) continue
    if (installed === undefined)
      return dev ? 'tests and checks need more, first run only' : 'some are missing'
    return `${path.slice('node_modules/'.length)} ${installed} becomes ${version}`
  }
  return nodeIsThere() ? undefined : 'a newer Node is needed'
}

/** What package-lock.json puts in node_modules; a link there is a folder of ours. */
function lockedPackages() {
  const { packages } = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8'))
  return Object.entries(packages)
    .filter(([path, { link }]) => path.startsWith('node_modules/') && !link)
    .map(([path, { version, dev, optional, devOptional }]) => ({
      path,
      version,
      dev,
      optional: optional || devOptional,
    }))
}

function installedVersion(path) {
  try {
    return JSON.parse(readFileSync(join(ROOT, path, 'package.json'), 'utf8')).version
  } catch {
    return undefined
  }
}

/** Whether a Node that runs Cashpoint is there, and really runs: the one npm brings does not on Alpine. */
function nodeIsThere() {
  if (newEnough(process.versions.node)) return true
  const node = installedNode()
  return node !== undefined && spawnSync(node, ['--version']).status === 0
}

function npmCi(withDev) {
  const options = ['--include=optional', '--no-audit', '--no-fund', '--loglevel=error']
  const args = ['ci', withDev ? '--include=dev' : '--omit=dev', ...options]
  const { npm_execpath: npm = '', npm_node_execpath: node } = process.env
  process.env.PATH = machinePath()
  const [command, ...first] = basename(npm).startsWith('npm-cli') ? [node || process.execPath, npm] : ['npm']
  return spawnSync(command, [...first, ...args], { cwd: ROOT, stdio: 'inherit' })
}

/**
 * PATH without our node_modules/.bin, which npm put first. A Node 24 found there would run npm, which
 * would judge by it that the machine needs no Node 24, and remove it.
 */
function machinePath() {
  const ours = join(ROOT, 'node_modules', '.bin')
  return (process.env.PATH || '')
    .split(delimiter)
    .filter((path) => path !== ours)
    .join(delimiter)
}

function endedHow(status, error) {
  if (error) return `did not start (${error.message})`
  return status === null ? 'was stopped by a signal' : `ended with exit code ${status}`
}

process.exitCode = main(process.argv[2])
