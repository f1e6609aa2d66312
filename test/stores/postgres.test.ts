/** The PostgreSQL store keeps the contract of a store, on a real server: what the others are asked, it is asked alike. */
import { describe } from 'node:test'
import { BankDriver } from '../support/bank-driver.ts'
import { heldClock } from '../support/clock.ts'
import { postgresMissing, postgresPlace } from '../support/postgres.ts'
import { times } from '../support/profile.ts'
import { testScenarios } from '../support/scenario.ts'
import { testAtmPrograms } from './atm-programs.ts'
import { conformance } from './conformance.ts'
import { movingUp } from './postgres-moving.ts'
import { testPrograms } from './programs.ts'
import { testV1Programs } from './v1-programs.ts'

describe('postgres', { skip: postgresMissing }, () => {
  conformance('postgres', () => postgresPlace())
  movingUp()
  testPrograms('postgres', () => postgresPlace(), times(4, 50))
  testV1Programs('postgres', () => postgresPlace(), times(2, 20))
  testAtmPrograms('postgres', () => postgresPlace(heldClock()), times(2, 20))
  const can = ['clock', 'restart', 'scopes', 'people', 'atm'] as const
  testScenarios('postgres', { can, oneOf: times(6, 1) }, () => BankDriver.open(postgresPlace(heldClock())))
})
