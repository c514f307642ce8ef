/** A thread's half of report-threads.ts: findings about one span of assets a task, sent in batches. */

import type { MessagePort } from 'node:worker_threads'
import { Failure, type FailureCode } from '../base/failure.ts'
import type { AssetSpan } from '../delivery/asset-spans.ts'
import { type LoggedFiles, openLoggedFiles } from '../delivery/committed-file.ts'
import { partOfStore } from '../delivery/part-of-store.ts'
import type { Finding } from '../delivery/report-model.ts'
import { passOf, type ReportPlan } from '../delivery/report-plan.ts'

/** What a thread is to do. */
export interface ReportTask {
  readonly plan: ReportPlan
  readonly span: AssetSpan
  readonly files: LoggedFiles
  /** Takes `ReportMessage`s. */
  readonly port: MessagePort
  /** Shared: see `PENDING_CELL`, `PASSED_CELL` and `TAKEN_CELL`. */
  readonly cells: ArrayBufferLike
}

/** What a thread sends; `end` or `failed` is the last. */
export type ReportMessage =
  | { readonly kind: 'findings'; readonly findings: readonly Finding[] }
  | { readonly kind: 'end' }
  /** An error that is thrown in a thread arrives without its class. */
  | { readonly kind: 'failed'; readonly code: FailureCode; readonly message: string }

/** Batches that were sent and not taken; `STOPPED` when nobody wants more. */
export const PENDING_CELL = 0
/** Requests that were passed over, by 1024. */
export const PASSED_CELL = 1
/** Not 0 as soon as a thread has taken the task. */
export const TAKEN_CELL = 2
/** See `PENDING_CELL`. */
export const STOPPED: number = -(2 ** 30)

const BATCH_FINDINGS = 256
/** A thread that is so far ahead of the reader of its findings waits: that bounds memory. */
const MAX_PENDING_BATCHES = 256

/** What a thread runs for every task. */
export function runReportTask({ plan, span, files, port, cells }: ReportTask): void {
  const shared = new Int32Array(cells)
  Atomics.store(shared, TAKEN_CELL, 1)
  const send = (message: ReportMessage): void => port.postMessage(message)
  const store = openLoggedFiles(files)
  let passedRequests = 0
  const source = partOfStore(store, span, (count) => {
    passedRequests += count
    Atomics.store(shared, PASSED_CELL, Math.floor(passedRequests / 1024))
    if (Atomics.load(shared, PENDING_CELL) < 0) throw new Failure('INTERRUPTED', 'nobody wants more')
  })
  try {
    let findings: Finding[] = []
    for (const finding of passOf(plan).find(source)) {
      findings.push(finding)
      if (findings.length < BATCH_FINDINGS) continue
      send({ kind: 'findings', findings })
      findings = []
      waitForReader(shared, Atomics.add(shared, PENDING_CELL, 1) + 1)
    }
    Atomics.add(shared, PENDING_CELL, 1)
    send({ kind: 'findings', findings })
    send({ kind: 'end' })
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    send({ kind: 'failed', code: error.code, message: error.message })
  } finally {
    store.close()
    port.close()
  }
}

/** Sleeps until enough batches were taken, or nobody wants more. */
function waitForReader(shared: Int32Array, pendingCount: number): void {
  for (let pending = pendingCount; pending >= MAX_PENDING_BATCHES; ) {
    Atomics.wait(shared, PENDING_CELL, pending)
    pending = Atomics.load(shared, PENDING_CELL)
  }
}
