/** Every scenario on every store, through the bank and its queue; in the fast profile a sixth of them on SQLite (SEED=n). */
import { BankDriver } from '../support/bank-driver.ts'
import { times } from '../support/profile.ts'
import { testScenarios } from '../support/scenario.ts'
import { memoryPlace, sqlitePlace } from '../support/stores.ts'

testScenarios('memory', { can: ['clock', 'scopes', 'people', 'atm'] }, () => BankDriver.open(memoryPlace()))
testScenarios('sqlite', { can: ['restart', 'scopes', 'people', 'atm'], oneOf: times(6, 1) }, () =>
  BankDriver.open(sqlitePlace()),
)
