/** What a journal leaves of the ATM side's, told again from its lines: what a store keeps must be the same. */
import { isDeepStrictEqual } from 'node:util'
import { isAtm } from '../ledger/atm-records.ts'
import { entitiesAfter } from '../ledger/entities-after.ts'
import {
  dueAt,
  type Entity,
  type EntityName,
  isWaiting,
  nameOfEntity,
  ownerOf,
  waitsOn,
} from '../ledger/entity.ts'
import { fromLine, type Line } from '../ledger/record.ts'

/** An entity as a store keeps it. */
export type KeptEntity = {
  readonly name: EntityName
  readonly owner: string | null
  readonly waiting: boolean
  readonly waits_on: string | null
  readonly due: number | null
  readonly body: string
}

export class LeftEntities {
  /** As text, which takes half of what objects do; with the clock of the block that changed each last. */
  readonly #left = new Map<EntityName, { readonly body: string; readonly clock: number }>()

  get size(): number {
    return this.#left.size
  }

  /** The clock of the block that changed it last; undefined where there is none of that name. */
  clockOf(name: EntityName): number | undefined {
    return this.#left.get(name)?.clock
  }

  /** Takes the next block's lines; says what is wrong with them, if anything. */
  take({ clock }: { readonly clock: number }, lines: readonly Line[]): string | undefined {
    const find = (name: EntityName) => {
      const left = this.#left.get(name)
      return left && (JSON.parse(left.body) as Entity)
    }
    try {
      for (const line of lines) {
        if (!isAtm(line)) continue
        const { content, at } = fromLine(line)
        if (!isAtm(content)) continue
        for (const entity of entitiesAfter(content, at, find))
          this.#left.set(nameOfEntity(entity), { body: JSON.stringify(entity), clock })
      }
      return undefined
    } catch (error) {
      return error instanceof Error ? error.message : String(error)
    }
  }

  /** The first that is not among those that are kept. */
  missingIn(kept: ReadonlySet<EntityName>): EntityName | undefined {
    return [...this.#left.keys()].find((name) => !kept.has(name))
  }

  /** What is wrong with an entity as it is kept. */
  differs({ name, owner, waiting, waits_on, due, body }: KeptEntity): string | undefined {
    const left = this.#left.get(name)
    if (left === undefined) return `there is ${name}, which the journal never made`
    const entity = JSON.parse(left.body) as Entity
    const same =
      (body === left.body || isDeepStrictEqual(JSON.parse(body), entity)) &&
      owner === ownerOf(entity) &&
      waiting === isWaiting(entity) &&
      waits_on === waitsOn(entity) &&
      due === dueAt(entity)
    return same ? undefined : `${name} is not what the journal leaves`
  }
}
