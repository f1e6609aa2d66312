/**
 * Runs first in every process of the tests: types are stripped once, not in each, which takes a third off a run. The
 * threads of a store look for it in the environment.
 */
import { enableCompileCache } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const cache = join(tmpdir(), 'cashpoint-compile-cache')
enableCompileCache(cache)
process.env['NODE_COMPILE_CACHE'] = cache
