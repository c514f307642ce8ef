/**
 * Deadlines of threads. What counts is whether any thread shows a sign of progress while somebody waits for one:
 * a task may well stand still for as long as others, from which it waits for something, go on.
 */

import { Failure } from '../base/failure.ts'

const POLL_MS = 250
/** Reading, sorting or encoding takes a thread seconds between two signs; a disk may take longer. */
const DEFAULT_DEADLINE_MS = 5 * 60 * 1000
/** A thread starts in a tenth of a second, or in some on a machine that is busy. */
const DEFAULT_START_DEADLINE_MS = 2 * 60 * 1000

/** How long threads may show no sign of progress. */
export interface Deadlines {
  /** Once one has taken the task that is waited for. */
  readonly deadlineMs?: number | undefined
  /** Until one has. */
  readonly startDeadlineMs?: number | undefined
}

/** A task that some thread is to do. */
export interface WatchedTask {
  /** A number that grows with every sign of progress. */
  readonly progress: number
  /** Whether a thread has taken it. */
  readonly isTaken: boolean
  /** Whether somebody waits for what it says next. */
  readonly isAwaited: boolean
  fail(failure: Failure): void
}

/** Fails the tasks that are waited for when no task has shown progress for too long. */
export class ProgressWatch {
  private readonly tasks = new Map<WatchedTask, number>()
  private readonly deadlineMs: number
  private readonly startDeadlineMs: number
  private readonly timer: NodeJS.Timeout
  private readonly pollMs: number
  private checkedAt = performance.now()
  private idleMs = 0

  constructor({ deadlineMs, startDeadlineMs }: Deadlines) {
    this.deadlineMs = deadlineMs ?? DEFAULT_DEADLINE_MS
    this.startDeadlineMs = startDeadlineMs ?? DEFAULT_START_DEADLINE_MS
    this.pollMs = Math.max(1, Math.min(POLL_MS, this.deadlineMs, this.startDeadlineMs))
    this.timer = setInterval(() => this.check(), this.pollMs)
  }

  /** Tasks are added in the order in which threads take them. */
  add(task: WatchedTask): void {
    this.tasks.set(task, task.progress)
  }

  /** To be called when a task has said all, or nobody wants to hear it. */
  remove(task: WatchedTask): void {
    this.tasks.delete(task)
  }

  /** Fails every task. */
  failAll(failure: Failure): void {
    for (const task of this.tasks.keys()) task.fail(failure)
  }

  stop(): void {
    clearInterval(this.timer)
  }

  private check(): void {
    const now = performance.now()
    // A process that was stopped for a while, or had no turn, is not late for that.
    const elapsedMs = Math.min(now - this.checkedAt, 2 * this.pollMs)
    this.checkedAt = now
    let awaited: WatchedTask | undefined
    let isAlive = false
    for (const [task, before] of this.tasks) {
      const { progress } = task
      isAlive ||= progress !== before
      this.tasks.set(task, progress)
      if (task.isAwaited) awaited ??= task
    }
    if (awaited === undefined || isAlive) {
      this.idleMs = 0
      return
    }
    this.idleMs += elapsedMs
    const limitMs = awaited.isTaken ? this.deadlineMs : this.startDeadlineMs
    if (this.idleMs > limitMs) this.failAll(awaited.isTaken ? stuck(limitMs) : notStarted(limitMs))
  }
}

function stuck(limitMs: number): Failure {
  return new Failure(
    'TIMEOUT',
    `expected a sign of progress from a thread within ${secondsOf(limitMs)}, found none: it was given up, and ` +
      'nothing was written; look whether the disk that is read answers, and try again, maybe with --threads 1',
  )
}

function notStarted(limitMs: number): Failure {
  return new Failure(
    'TIMEOUT',
    `expected a thread to start within ${secondsOf(limitMs)}, found none that did: they were given up, and ` +
      'nothing was written; look whether memory, processors or processes have run out, and try again with --threads 1',
  )
}

function secondsOf(milliseconds: number): string {
  return `${Math.round(milliseconds / 100) / 10} s`
}
