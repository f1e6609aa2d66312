/** The memory store keeps the contract of a store. */
import { memoryPlace } from '../support/stores.ts'
import { conformance } from './conformance.ts'

conformance('memory', memoryPlace)
