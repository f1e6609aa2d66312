/** Random programs on the memory store and on SQLite; on PostgreSQL, `postgres.test.ts` runs them. */
import { times } from '../support/profile.ts'
import { memoryPlace, sqlitePlace } from '../support/stores.ts'
import { testAtmPrograms } from './atm-programs.ts'
import { testPrograms } from './programs.ts'
import { testV1Programs } from './v1-programs.ts'

testPrograms('memory', memoryPlace, 200)
// Each run has files of its own and some restarts.
testPrograms('sqlite', sqlitePlace, times(6, 30))
testV1Programs('memory', memoryPlace, 6)
testV1Programs('sqlite', sqlitePlace, times(3, 20))
testAtmPrograms('memory', memoryPlace, 3)
testAtmPrograms('sqlite', sqlitePlace, times(2, 20))
