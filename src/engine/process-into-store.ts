/** The coordinator for a store: logs in, one file a day, one commit. */

import { join } from 'node:path'
import { Failure } from '../base/failure.ts'
import type { AddFile, Snapshot, TableAction } from '../table/actions.ts'
import { CommitConflict, UncertainCommit } from '../table/commit-failures.ts'
import { markFirstRun, unmarkFirstRun, unmarkFirstRuns } from '../table/first-run.ts'
import { commit, readSnapshot } from '../table/table.ts'
import {
  type EncodeOptions,
  encodeInputs,
  FoundFormats,
  storedBytes,
  throwIfAborted,
} from './encode-inputs.ts'
import { type ClaimedInput, InputClaims } from './input-claims.ts'
import type { InputOptions, LogInput } from './log-input.ts'
import { type OpenOptions, openInputs } from './open-inputs.ts'
import { PartitionOutputs } from './partition-outputs.ts'
import { type ProcessReport, secondsSince } from './process-logs.ts'
import { refuseFilesOf, refuseToOverwrite } from './refused-paths.ts'

/** What a run into a store is given. */
export interface StoreRunOptions extends EncodeOptions, OpenOptions {
  /** Paths and URLs; `-` is standard input. */
  readonly inputs: readonly string[]
  /** The store's directory; made when it is not there. */
  readonly store: string
  /** Takes inputs that the store has once more. */
  readonly force?: boolean
  /** Told what did not go well and does not matter for this run. */
  readonly onNote?: (note: string) => void
}

/** What such a run did. */
export interface StoreRunReport extends ProcessReport {
  readonly store: {
    readonly path: string
    /** The version that the run committed, or the one that already had all of its inputs. */
    readonly version: number
    readonly inputs: readonly StoreRunInput[]
  }
}

/** What became of an input: see `ClaimedInput`. */
export interface StoreRunInput {
  readonly path: string
  readonly status: ClaimedInput['status']
  /** Decompressed bytes that were taken. */
  readonly bytes: number
  /** Bytes of an unfinished last line, left for the next run. */
  readonly pendingBytes: number
  /** Of all that the store now has of the input; null when it has nothing. */
  readonly sha256: string | null
}

/** So many times others may take inputs of this run in the meantime. */
const MOST_ATTEMPTS = 20

/**
 * Adds the inputs to the store as one version, or nothing at all: what the store has already is not added
 * again. Fails as `encodeInputs` and `commit` do; then the store is as it was before, unless the failure is
 * an `UncertainCommit`.
 */
export async function processIntoStore(options: StoreRunOptions): Promise<StoreRunReport> {
  const { inputs, rejectsPath } = options
  if (rejectsPath !== undefined) {
    refuseToOverwrite([{ option: '--rejects', path: rejectsPath }], inputs)
  }
  refuseFilesOf(options.store, inputs)
  const startedAt = performance.now()
  for (let attempt = 1; ; attempt++) {
    const report = await tryOnce(options, startedAt)
    if (report !== undefined) return report
    if (attempt === MOST_ATTEMPTS) {
      throw new Failure(
        'ENVIRONMENT',
        `${options.store}: other runs added these logs ${MOST_ATTEMPTS} times meanwhile; nothing was written. Run again.`,
      )
    }
  }
}

/** Undefined when another run has taken inputs of this one meanwhile, so that they must be claimed anew. */
async function tryOnce(options: StoreRunOptions, startedAt: number): Promise<StoreRunReport | undefined> {
  const { store, force = false, signal } = options
  const snapshot = await readSnapshot(store)
  const { transactions } = snapshot
  const formats = new FoundFormats(options)
  const inputOptions = (index: number): InputOptions => formats.optionsFor(index)
  const outputs = new PartitionOutputs(store)
  const makeTemporaryDirectory = async (): Promise<string> => {
    await outputs.makeStore()
    return store
  }
  const claims = new InputClaims({ transactions, force, makeTemporaryDirectory, signal, inputOptions })
  const ending: RunEnding = { mark: undefined, isCommitted: false, isCertain: true }
  let inputs: readonly LogInput[] = []
  try {
    const opened = await openInputs(options.inputs, options, inputOptions)
    inputs = opened.inputs
    const totals = await encodeInputs(
      { inputs, formats, sink: outputs, choosePart: claims.choosePart },
      options,
    )
    const claimed = await claims.finish()
    if (snapshot.version < 0 && !outputs.isEmpty) ending.mark = await markFirstRun(store)
    const added = await outputs.finish(formats.decodesUserAgents)
    throwIfAborted(signal)
    const version = await commitRun({ options, snapshot, claims, added })
    ending.isCommitted = true
    return {
      v: 1,
      inputs: opened.names,
      formats: formats.names,
      ...totals,
      rows: outputs.rowCount,
      files: added.map(({ path, size, stats }) => ({
        path: join(store, path),
        rows: stats?.numRecords ?? 0,
        bytes: size,
      })),
      bytesRead: claimed.reduce((sum, claim) => sum + bytesReadOf(claim, inputs), 0),
      bytesWritten: added.reduce((sum, { size }) => sum + size, 0),
      seconds: secondsSince(startedAt),
      store: { path: store, version, inputs: claimed.map(describeInput) },
    }
  } catch (failure) {
    if (failure instanceof UncertainCommit) {
      ending.isCommitted = true
      ending.isCertain = false
    }
    if (!(failure instanceof CommitConflict)) throw failure
    refuseToReadAgain(store, inputs)
    return undefined
  } finally {
    try {
      await claims.close()
    } finally {
      await endRun(store, outputs, ending)
    }
  }
}

/** How a run came out, for what is to be taken away. */
interface RunEnding {
  /** Of a first run. */
  mark: string | undefined
  isCommitted: boolean
  /** Whether it is known how the commit came out. */
  isCertain: boolean
}

/** Takes away what is not committed; the mark of a first run stays as long as its files may be without a commit. */
async function endRun(store: string, outputs: PartitionOutputs, ending: RunEnding): Promise<void> {
  const { mark, isCommitted, isCertain } = ending
  const isGone = !isCommitted && (await outputs.withdraw())
  if (mark !== undefined && isGone) await unmarkFirstRun(store, mark)
  if (mark !== undefined && isCommitted && isCertain) await unmarkFirstRuns(store)
  if (!isCommitted) await outputs.removeDirectories()
}

/** A pipe has nothing left to give: a second attempt would take it for empty, and lose what it brought. */
function refuseToReadAgain(store: string, inputs: readonly LogInput[]): void {
  const pipe = inputs.find(({ kind, byteLength }) => kind === 'streamed' && byteLength === undefined)
  if (pipe === undefined) return
  throw new Failure(
    'ENVIRONMENT',
    `${store}: another run added the same logs meanwhile, and ${pipe.path} can be read only once; nothing was written. Run again.`,
  )
}

interface RunToCommit {
  readonly options: StoreRunOptions
  readonly snapshot: Snapshot
  readonly claims: InputClaims
  readonly added: readonly AddFile[]
}

async function commitRun({ options, snapshot, claims, added }: RunToCommit): Promise<number> {
  const actions: TableAction[] = [
    ...claims.transactions().map((txn) => ({ txn })),
    ...added.map((add) => ({ add })),
  ]
  // Nothing but empty inputs still makes a store: one that can be asked, and knows nothing.
  if (actions.length === 0 && snapshot.version >= 0) return snapshot.version
  return await commit(options.store, {
    readVersion: snapshot.version,
    actions,
    operation: 'WRITE',
    operationParameters: { mode: 'Append', partitionBy: '["date"]' },
    recheck(newer) {
      if (claims.stillHold(newer.transactions)) return
      throw new CommitConflict(`${options.store}: another run has taken inputs of this one`)
    },
    onCheckpointFailure: ({ message }) => options.onNote?.(`the run is committed, but: ${message}`),
  })
}

/** What was read of an input, as stored; of one that has grown, what is new. */
function bytesReadOf({ inputIndex, status, byteLength }: ClaimedInput, inputs: readonly LogInput[]): number {
  const input = inputs[inputIndex]
  return status === 'new' && input !== undefined ? storedBytes(input) : byteLength
}

function describeInput({
  path,
  status,
  byteLength,
  pendingByteLength,
  content,
}: ClaimedInput): StoreRunInput {
  return {
    path,
    status,
    bytes: byteLength,
    pendingBytes: pendingByteLength,
    sha256: content?.sha256 ?? null,
  }
}
