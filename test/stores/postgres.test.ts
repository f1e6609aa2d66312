/** The PostgreSQL store keeps the contract of a store, on a real server. */
import { describe } from 'node:test'
import { postgresMissing, postgresPlace } from '../support/postgres.ts'
import { conformance } from './conformance.ts'

describe('postgres', { skip: postgresMissing }, () => conformance('postgres', postgresPlace))
