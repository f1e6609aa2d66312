#!/usr/bin/env node
'use strict'
// Starts src/main.ts under a Node that can run it. Under npm that is this very process: npm puts
// node_modules/.bin first on PATH. Called directly by an older Node, it hands over to the installed one.

const { spawn } = require('node:child_process')
const { enableCompileCache, flushCompileCache } = require('node:module')
const { join } = require('node:path')
const { pathToFileURL } = require('node:url')
const { newEnough, installedNode, tooOld } = require('./node-version.cjs')

function launch() {
  const version = process.versions.node
  if (newEnough(version)) return run()

  const node = installedNode()
  // A Node that lied about its version would hand over to itself for ever.
  if (node !== undefined && process.env.CASHPOINT_HANDED_OVER === undefined) return handOver(node)

  process.stderr.write(`${tooOld(version)}\n`)
  process.exitCode = 1
}

/**
 * Runs the program, with what Node makes of its source kept for the next start: half a second sooner, and 55 MB
 * less, since no thread has to load the stripper of types. By the environment, so that threads have it too.
 */
async function run() {
  process.env.NODE_COMPILE_CACHE ??= join(__dirname, '..', 'node_modules', '.cache', 'cashpoint')
  enableCompileCache(process.env.NODE_COMPILE_CACHE)
  await import(pathToFileURL(join(__dirname, '..', 'src', 'main.ts')).href)
  // Now rather than at the end, which a server may not come to in order.
  flushCompileCache()
}

/** Runs this file again under `node`, and ends as that ends. */
function handOver(node) {
  const child = spawn(node, [__filename, ...process.argv.slice(2)], {
    stdio: 'inherit',
    env: { ...process.env, CASHPOINT_HANDED_OVER: '1' },
  })
  const forward = (signal) => child.kill(signal)
  process.on('SIGTERM', forward)
  process.on('SIGHUP', forward)
  // A terminal's Ctrl-C goes to both processes by itself: forwarded too, it would count twice.
  process.on('SIGINT', process.stdin.isTTY ? () => {} : forward)

  child.on('error', (error) => {
    process.stderr.write(`Cashpoint: ${node} does not start (${error.message})\n`)
    process.exitCode = 1
  })
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code)
    process.removeAllListeners(signal)
    process.kill(process.pid, signal)
  })
}

launch()
