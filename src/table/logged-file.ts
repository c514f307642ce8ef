/** A data file as a log has it. Most of its bytes are statistics, which most programs never ask for. */

import type { AddFile, FileStats, StatValue } from './actions.ts'
import { countAt, damagedAt, isMissing, isRecord, type Place, parseJson, setOwn } from './members.ts'

/** The members of a data file, statistics as the text in the log. */
interface LoggedMembers extends Omit<AddFile, 'stats' | 'tags'> {
  readonly tags: Readonly<Record<string, string>> | undefined
  readonly statsText: string | undefined
  readonly place: Place
}

/** An `AddFile` whose `stats` are decoded when first asked for. A copy by spread has none: copy by name. */
export class LoggedFile implements AddFile {
  readonly path: string
  readonly partitionValues: { readonly date: string }
  readonly size: number
  readonly modificationTime: number
  readonly dataChange: boolean
  declare readonly tags?: Readonly<Record<string, string>>
  readonly #statsText: string | undefined
  readonly #place: Place
  #stats: FileStats | undefined

  constructor(members: LoggedMembers) {
    this.path = members.path
    this.partitionValues = members.partitionValues
    this.size = members.size
    this.modificationTime = members.modificationTime
    this.dataChange = members.dataChange
    if (members.tags !== undefined) this.tags = members.tags
    this.#statsText = members.statsText
    this.#place = members.place
  }

  get stats(): FileStats | undefined {
    if (this.#stats === undefined && this.#statsText !== undefined) {
      this.#stats = decodeStats(this.#statsText, this.#place)
    }
    return this.#stats
  }

  /** Decodes the statistics now: fails as DAMAGED. */
  checkStats(): void {
    void this.stats
  }

  /** The statistics as they stand in the log. */
  get statsText(): string | undefined {
    return this.#statsText
  }
}

/**
 * `stats`, a JSON text. Undefined when it does not say how many rows there are. A bound that JavaScript
 * cannot hold exactly is dropped: a rounded one would be none.
 */
function decodeStats(text: string, place: Place): FileStats | undefined {
  const stats = parseJson(text)
  if (!isRecord(stats)) return damagedAt(place, 'stats as the JSON of an object', text)
  if (isMissing(stats['numRecords'])) return undefined
  return {
    numRecords: countAt(stats, 'numRecords', place),
    minValues: boundsAt(stats['minValues'], place),
    maxValues: boundsAt(stats['maxValues'], place),
    nullCount: countsAt(stats['nullCount'], place),
  }
}

function boundsAt(bounds: unknown, place: Place): Record<string, StatValue> {
  if (isMissing(bounds)) return {}
  if (!isRecord(bounds)) return damagedAt(place, 'bounds by column', bounds)
  const known: Record<string, StatValue> = {}
  for (const name in bounds) {
    const bound = bounds[name]
    if (typeof bound === 'string' || Number.isSafeInteger(bound)) setOwn(known, name, bound)
  }
  return known
}

function countsAt(counts: unknown, place: Place): Record<string, number> {
  if (isMissing(counts)) return {}
  if (!isRecord(counts)) return damagedAt(place, 'null counts by column', counts)
  const known: Record<string, number> = {}
  for (const name in counts) if (Number.isSafeInteger(counts[name])) setOwn(known, name, counts[name])
  return known
}
