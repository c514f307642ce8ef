/**
 * Checkpoints, ours and those of others, as actions.
 * Source: Delta protocol, "Checkpoints" and "Checkpoint Schema".
 */

import { statSync } from 'node:fs'
import { attempted, damaged } from '../base/failure.ts'
import { readRegularFile } from '../base/regular-file.ts'
import { checkSeal } from './checkpoint-seal.ts'
import { dateOfPath } from './data-path.ts'
import {
  decodeAdd,
  decodeMetadata,
  decodeProtocol,
  decodeRemove,
  decodeTransaction,
} from './decode-action.ts'
import { damagedAt, type Place } from './members.ts'
import { type Leaf, type NestedParquet, openNestedParquet } from './nested-parquet-reader.ts'
import type { Replay } from './replay.ts'

const LONGEST_PART_BYTES = 2 ** 31 - 1

/** One file of a checkpoint. */
interface Part {
  readonly path: string
  readonly parquet: NestedParquet
  /** It is ours and as we wrote it. */
  readonly isSealed: boolean
}

/** Which leaves make up an action. */
interface ActionColumns {
  readonly root: 'protocol' | 'metaData' | 'txn' | 'add' | 'remove'
  /** The member that every such row has, so that the others are told apart. */
  readonly required: string
  readonly values: readonly string[]
  readonly maps: readonly string[]
  readonly lists: readonly string[]
}

/** The values of a member, one a row of the group; undefined or null where there is none. */
type Column = (member: string) => readonly unknown[]

/** Takes the action of one row. */
type TakeRow = (row: number, place: Place) => void

const PROTOCOL_COLUMNS: ActionColumns = {
  root: 'protocol',
  required: 'minReaderVersion',
  values: ['minReaderVersion', 'minWriterVersion'],
  maps: [],
  lists: [],
}
const METADATA_COLUMNS: ActionColumns = {
  root: 'metaData',
  required: 'id',
  values: ['id', 'format.provider', 'schemaString', 'createdTime'],
  maps: ['configuration'],
  lists: ['partitionColumns'],
}
const TRANSACTION_COLUMNS: ActionColumns = {
  root: 'txn',
  required: 'appId',
  values: ['appId', 'version'],
  maps: [],
  lists: [],
}
const REMOVE_COLUMNS: ActionColumns = {
  root: 'remove',
  required: 'path',
  values: ['path', 'deletionTimestamp', 'dataChange'],
  maps: [],
  lists: [],
}
const ADD_COLUMNS: ActionColumns = {
  root: 'add',
  required: 'path',
  values: ['path', 'size', 'modificationTime', 'dataChange', 'stats', 'deletionVector.storageType'],
  maps: ['partitionValues', 'tags'],
  lists: [],
}
/**
 * Reads all parts of a checkpoint into an empty replay. Fails as DAMAGED when they are no whole checkpoint,
 * as USAGE when the table is none of ours, as ENVIRONMENT when they cannot be read.
 */
export async function applyCheckpoint(paths: readonly string[], replay: Replay): Promise<void> {
  const parts: Part[] = []
  for (const path of paths) parts.push(await openPart(path))
  // What the table demands decides how the rest is to be read, so it comes first.
  for (const part of parts) forEachRow(part, PROTOCOL_COLUMNS, (column) => takeProtocol(column, replay))
  for (const part of parts) forEachRow(part, METADATA_COLUMNS, (column) => takeMetadata(column, replay))
  for (const part of parts) {
    forEachRow(part, TRANSACTION_COLUMNS, (column) => takeTransaction(column, replay))
    forEachRow(part, REMOVE_COLUMNS, (column) => takeRemove(column, replay))
  }
  for (const part of parts) forEachRow(part, ADD_COLUMNS, (column) => takeAdd(column, replay))
}

function takeProtocol(column: Column, replay: Replay): TakeRow {
  const reader = column('minReaderVersion')
  const writer = column('minWriterVersion')
  return (row, place) =>
    replay.setProtocol(
      decodeProtocol({ minReaderVersion: reader[row], minWriterVersion: writer[row] }, place),
    )
}

function takeMetadata(column: Column, replay: Replay): TakeRow {
  return (row, place) => {
    const metadata = {
      id: column('id')[row],
      format: { provider: column('format.provider')[row] },
      schemaString: column('schemaString')[row],
      partitionColumns: column('partitionColumns')[row],
      configuration: column('configuration')[row],
      createdTime: column('createdTime')[row],
    }
    replay.setMetadata(decodeMetadata(metadata, place))
  }
}

function takeTransaction(column: Column, replay: Replay): TakeRow {
  const appId = column('appId')
  const version = column('version')
  return (row, place) =>
    replay.setTransaction(decodeTransaction({ appId: appId[row], version: version[row] }, place))
}

function takeRemove(column: Column, replay: Replay): TakeRow {
  const path = column('path')
  const deletionTimestamp = column('deletionTimestamp')
  const dataChange = column('dataChange')
  return (row, place) => {
    const remove = {
      path: path[row],
      deletionTimestamp: deletionTimestamp[row],
      dataChange: dataChange[row] ?? false,
    }
    replay.remove(decodeRemove(remove, place))
  }
}

function takeAdd(column: Column, replay: Replay): TakeRow {
  const path = column('path')
  const partitionValues = column('partitionValues')
  const size = column('size')
  const modificationTime = column('modificationTime')
  const dataChange = column('dataChange')
  const deletionVector = column('deletionVector.storageType')
  const stats = column('stats')
  const tags = column('tags')
  return (row, place) => {
    const add = {
      path: path[row],
      partitionValues: partitionValues[row],
      size: size[row],
      modificationTime: modificationTime[row],
      // A checkpoint says nothing about change; Delta itself writes false.
      dataChange: dataChange[row] ?? false,
      deletionVector: deletionVector[row],
      stats: stats[row],
      tags: tags[row],
    }
    const file = decodeAdd(add, place)
    if (!replay.add(file)) damagedAt(place, 'one add of a path', file.path)
  }
}

async function openPart(path: string): Promise<Part> {
  const byteLength = attempted(path, 'read', () => statSync(path).size)
  if (byteLength > LONGEST_PART_BYTES) {
    damaged(path, `at most ${LONGEST_PART_BYTES} bytes`, `${byteLength}`)
  }
  const bytes = attempted(path, 'read', () => readRegularFile(path))
  // Small files come out of a pool that they share with others.
  const own = new Uint8Array(bytes)
  const isSealed = checkSeal(own, path)
  return { path, isSealed, parquet: await openNestedParquet(own, { path, trustsNullCounts: isSealed }) }
}

/** Hands over every row of one kind, in file order. */
function forEachRow(part: Part, columns: ActionColumns, takeOf: (column: Column) => TakeRow): void {
  let firstRow = 0
  for (const [group, rowCount] of part.parquet.groupRowCounts.entries()) {
    const values = readColumns(part, group, columns)
    const take = takeOf((member) => values.get(member) ?? [])
    const required = values.get(columns.required) ?? []
    for (let row = 0; row < rowCount; row++) {
      if (required[row] === undefined || required[row] === null) continue
      take(row, { file: part.path, unit: 'row', ordinal: firstRow + row + 1 })
    }
    firstRow += rowCount
  }
}

/** The members of one kind of action in one row group, by name. */
function readColumns(
  part: Part,
  group: number,
  { root, required, values, maps, lists }: ActionColumns,
): ReadonlyMap<string, readonly unknown[]> {
  const { parquet, path } = part
  const columns = new Map<string, readonly unknown[]>()
  for (const leaf of parquet.leaves) {
    const member = leaf.name.slice(root.length + 1)
    if (leaf.name !== `${root}.${member}` || leaf.isRepeated || !values.includes(member)) continue
    columns.set(member, parquet.readLeaf(group, leaf))
  }
  if (!columns.has(required)) {
    damaged(path, `a column ${root}.${required}`, parquet.leaves.map(({ name }) => name).join(', '))
  }
  // What is sealed is as we wrote it: then the path of a file tells its partition, and that is read in no time.
  const dates = part.isSealed && root === 'add' ? datesOf(columns.get('path') ?? []) : undefined
  if (dates !== undefined) columns.set('partitionValues', dates)
  for (const member of [...maps, ...lists]) {
    if (columns.has(member)) continue
    const [keys = [], texts = []] = leavesBelow(parquet, root, member).map((leaf) =>
      parquet.readLeaf(group, leaf),
    )
    columns.set(member, maps.includes(member) ? mapsOf(keys, texts) : keys)
  }
  return columns
}

/** The partition of every path, or undefined when one does not tell. */
function datesOf(paths: readonly unknown[]): unknown[] | undefined {
  const known = new Map<string, { readonly date: string }>()
  const dates: unknown[] = []
  for (const path of paths) {
    const date = typeof path === 'string' ? dateOfPath(path) : undefined
    if (date === undefined && typeof path === 'string') return undefined
    const values = known.get(date ?? '') ?? { date: date ?? '' }
    known.set(values.date, values)
    dates.push(values)
  }
  return dates
}

/** Writers name the levels of maps and lists in many ways; their order is always the same. */
function leavesBelow(parquet: NestedParquet, root: string, member: string): Leaf[] {
  return parquet.leaves.filter(({ name, isRepeated }) => isRepeated && name.startsWith(`${root}.${member}.`))
}

/** One object a row out of a list of keys and a list of values. */
function mapsOf(keys: readonly unknown[], values: readonly unknown[]): unknown[] {
  return keys.map((names: unknown, row) => {
    if (!Array.isArray(names)) return undefined
    const texts: unknown = values[row]
    return Object.fromEntries(
      names.map((name: unknown, i) => [String(name), Array.isArray(texts) ? texts[i] : null]),
    )
  })
}
