/**
 * Rewrites files as one whose keys ascend from its first row to its last: an external merge. Cost follows
 * requests, never rows; memory is one row group of each stretch that is merged at a time, a batch of runs,
 * and the requests of one listener.
 */

import { randomUUID } from 'node:crypto'
import { dirname, join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { damaged } from '../base/failure.ts'
import { formatEpochDay } from '../delivery/day-split.ts'
import type { KeyFilter, Stretch } from '../delivery/key-cursor.ts'
import { readAllLengths } from '../delivery/length-section.ts'
import { RunCollector } from '../delivery/run-collector.ts'
import { RunEncoder } from '../delivery/run-encoder.ts'
import { type ListenerRuns, scanStretches } from '../delivery/scan-listeners.ts'
import { LENGTHS_KEY, PARTITION_SCHEMA } from '../delivery/schema.ts'
import { sortedStretches } from '../delivery/sorted-stretches.ts'
import { openFile } from '../delivery/store.ts'
import { decodesUserAgents } from '../delivery/user-agent-spellings.ts'
import { FileCaches, type ParquetFile } from '../parquet/parquet-file.ts'
import { createPositionPageEncoder } from '../parquet/position-page-encoder.ts'
import { throwIfAborted } from './encode-inputs.ts'
import { ParquetOutput } from './parquet-output.ts'

/** So many sorted stretches are merged at a time; more take another pass over the data. */
const MAX_FAN_IN = 128
/** Runs that are encoded at a time: many row groups, so that few are smaller than they could be. */
const BATCH_RUNS = 2 ** 18

/** What is to be merged. */
export interface MergeTask {
  /** Files of one day. */
  readonly paths: readonly string[]
  /** `YYYY-MM-DD`; a request of another day in the files is damage. */
  readonly date: string
  /** Where the file is to be. */
  readonly into: string
  /** Which keys are kept; by default all. */
  readonly filter?: KeyFilter
  readonly signal?: AbortSignal | undefined
  /** Told how many more runs were merged; where they pass several times, each pass is a part of a run. */
  readonly onRuns?: (count: number) => void
  /** For tests: the limits above. */
  readonly limits?:
    | { readonly fanIn: number; readonly batchRuns: number; readonly batchTextLength?: number }
    | undefined
}

/** A file that stands in its place but is in no commit yet; of requests that are not kept, it may have lengths alone. */
export interface MergedFile {
  readonly output: ParquetOutput
  readonly runCount: number
}

/** Merges files; undefined when nothing is left to be kept. Fails as DAMAGED when one of them is, INTERRUPTED by `signal`; then nothing is left behind. */
export async function mergeFiles(task: MergeTask): Promise<MergedFile | undefined> {
  const { fanIn = MAX_FAN_IN, batchRuns = BATCH_RUNS, batchTextLength } = task.limits ?? {}
  const encoder = new RunEncoder(PARTITION_SCHEMA, await createPositionPageEncoder())
  const writer: MergeWriter = {
    encoder,
    collector: new RunCollector(batchRuns, batchTextLength),
    task,
    passCount: 1,
  }
  const caches = new FileCaches()
  let sources = task.paths.map((path): Source => ({ path, temporary: undefined }))
  const opened: ParquetFile[] = []
  const open = ({ path }: Source): Stretch[] => {
    const file = openFile(path, caches)
    opened.push(file)
    return sortedStretches(
      file,
      Array.from({ length: file.rowGroupCount }, (_, i) => i),
    )
  }
  try {
    let stretches = sources.flatMap(open)
    let isFirstPass = true
    writer.passCount = countPasses(stretches.length, fanIn)
    while (stretches.length > fanIn) {
      const merged: Source[] = []
      try {
        for (let from = 0; from < stretches.length; from += fanIn) {
          const part = stretches.slice(from, from + fanIn)
          const source = await writePass(writer, part, isFirstPass)
          if (source !== undefined) merged.push(source)
        }
      } finally {
        for (const file of opened.splice(0)) file.close()
        for (const { temporary } of sources) await temporary?.withdraw()
        sources = merged
      }
      isFirstPass = false
      stretches = sources.flatMap(open)
    }
    const listeners = scanStretches(stretches, isFirstPass ? (task.filter ?? {}) : {})
    return await writeListeners(writer, listeners, task.into, {
      isThere: () => tellLengths(task.paths, caches),
      copyTo: (output) => copyLengths(task.paths, caches, output),
    })
  } finally {
    for (const file of opened) file.close()
    for (const { temporary } of sources) await temporary?.withdraw()
  }
}

/** A file to merge; `temporary` when it is of a pass before, and to be removed. */
interface Source {
  readonly path: string
  readonly temporary: ParquetOutput | undefined
}

interface MergeWriter {
  readonly encoder: RunEncoder
  readonly collector: RunCollector
  readonly task: MergeTask
  /** How often each run is written, at most. */
  passCount: number
}

/** What a file has beside the requests. */
interface Rest {
  isThere(): boolean
  /** Returns whether the user agents of all files were decoded. */
  copyTo(output: ParquetOutput): Promise<boolean>
}

const NO_REST: Rest = { isThere: () => false, copyTo: () => Promise.resolve(false) }

/**
 * Whether any of the files tells a length. That outlives the requests of a file of which none is kept: without it
 * the asset could count as shorter than it is, and less of it as the whole.
 */
function tellLengths(paths: readonly string[], caches: FileCaches): boolean {
  return paths.some((path) => {
    const file = openFile(path, caches)
    try {
      return file.footer.keyValues.has(LENGTHS_KEY)
    } finally {
      file.close()
    }
  })
}

/** Copies the lengths that logs told; returns whether the user agents of all files were decoded. */
async function copyLengths(
  paths: readonly string[],
  caches: FileCaches,
  output: ParquetOutput,
): Promise<boolean> {
  let areDecoded = true
  for (const path of paths) {
    const file = openFile(path, caches)
    try {
      areDecoded &&= decodesUserAgents(file)
      for (const entry of readAllLengths(file)) await output.addLength(entry)
    } finally {
      file.close()
    }
  }
  return areDecoded
}

function countPasses(stretchCount: number, fanIn: number): number {
  let passCount = 1
  for (let left = stretchCount; left > fanIn; left = Math.ceil(left / fanIn)) passCount++
  return passCount
}

async function writePass(
  writer: MergeWriter,
  stretches: readonly Stretch[],
  isFirstPass: boolean,
): Promise<Source | undefined> {
  const { into, filter = {} } = writer.task
  const listeners = scanStretches(stretches, isFirstPass ? filter : {})
  // Hidden, so that no reader of the directory takes it for data; vacuum knows the form. Runs on other machines
  // or in other containers may have the same process id, so that is no name.
  const path = join(dirname(into), `.merge-${randomUUID()}.parquet`)
  // What is told of assets goes into the last file alone, from the first ones.
  const merged = await writeListeners(writer, listeners, path, NO_REST)
  return merged === undefined ? undefined : { path, temporary: merged.output }
}

async function writeListeners(
  { encoder, collector, task, passCount }: MergeWriter,
  listeners: Generator<ListenerRuns, void, void>,
  path: string,
  rest: Rest,
): Promise<MergedFile | undefined> {
  let output: ParquetOutput | undefined
  let runCount = 0
  const flush = async (): Promise<void> => {
    if (collector.isEmpty) return
    output ??= await ParquetOutput.create(path, { schema: PARTITION_SCHEMA })
    for (const { epochDay = 0, runCount: count, batch } of encoder.encode(
      collector.take(),
      () => undefined,
    )) {
      const date = formatEpochDay(epochDay)
      if (date !== task.date) damaged(task.paths.join(', '), `requests of ${task.date}`, `one of ${date}`)
      await output.append(batch)
      runCount += count
      task.onRuns?.(count / passCount)
      await setImmediate()
      throwIfAborted(task.signal)
    }
  }
  try {
    for (const listener of listeners) {
      for (let next = 0; next < listener.runs.count; ) {
        next = collector.add(listener, next)
        if (collector.isFull) await flush()
      }
    }
    await flush()
    if (output === undefined && rest.isThere())
      output = await ParquetOutput.create(path, { schema: PARTITION_SCHEMA })
    if (output === undefined) return undefined
    const decodes = await rest.copyTo(output)
    await output.finish(runCount, decodes)
    return { output, runCount }
  } catch (failure) {
    await output?.withdraw()
    throw failure
  }
}
