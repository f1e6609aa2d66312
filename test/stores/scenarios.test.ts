/** Every scenario on every store, through the bank and its queue. */
import { BankDriver } from '../support/bank-driver.ts'
import { testScenarios } from '../support/scenario.ts'
import { memoryPlace, sqlitePlace } from '../support/stores.ts'

testScenarios('memory', { can: ['clock', 'scopes', 'people'] }, () => BankDriver.open(memoryPlace()))
testScenarios('sqlite', { can: ['restart', 'scopes', 'people'] }, () => BankDriver.open(sqlitePlace()))
