/** Runs one program from start to end and says how long it took and how much memory it had at most. */
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'

/** How often the kernel is asked for the high-water mark; growth in the last such moment goes unseen. */
const MEMORY_POLL_MS = 15

/** One program and its arguments, run in the current directory without a shell. */
export interface Command {
  readonly program: string
  readonly args: readonly string[]
}

/** What a run took. */
export interface Run {
  /** Wall clock from the start of the process to its end. */
  readonly seconds: number
  /** Largest resident set; undefined where there is no /proc. */
  readonly peakBytes: number | undefined
  readonly stdout: string
}

function readPeakBytes(processId: number): number | undefined {
  try {
    const kibibytes = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${processId}/status`, 'latin1'))?.[1]
    return kibibytes === undefined ? undefined : Number(kibibytes) * 1024
  } catch (error) {
    // The process has ended, or this system has no /proc: the last known value stands.
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ESRCH'))
      return undefined
    throw error
  }
}

/** Runs a program to its end; fails when it exits with another code than these, with what it wrote on stderr. */
export function runMeasured(command: Command, exitCodes: readonly number[] = [0]): Promise<Run> {
  return new Promise((resolve, reject) => {
    // Whoever runs the bench from source has loaders in NODE_OPTIONS; the measured program has none.
    const { NODE_OPTIONS: _, ...environment } = process.env
    const startedAt = performance.now()
    const child = spawn(command.program, command.args, {
      env: environment,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let peakBytes: number | undefined
    const poll = setInterval(() => {
      if (child.pid !== undefined) peakBytes = readPeakBytes(child.pid) ?? peakBytes
    }, MEMORY_POLL_MS)
    let seconds = 0
    const stdout: Buffer[] = []
    const stderr: Buffer[] = []
    child.stdout.on('data', (part: Buffer) => stdout.push(part))
    child.stderr.on('data', (part: Buffer) => stderr.push(part))
    child.on('exit', () => {
      seconds = (performance.now() - startedAt) / 1000
      clearInterval(poll)
    })
    child.on('error', (error) => {
      clearInterval(poll)
      reject(error)
    })
    child.on('close', (code, signal) => {
      if (code !== null && exitCodes.includes(code))
        resolve({ seconds, peakBytes, stdout: Buffer.concat(stdout).toString('utf8') })
      else
        reject(
          new Error(
            `${command.program} ended with ${code ?? signal}: ${Buffer.concat(stderr).toString('utf8')}`,
          ),
        )
    })
  })
}

/** The middle of some numbers (the mean of the two middle ones when they are even). */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const low = sorted[Math.floor((sorted.length - 1) / 2)]
  const high = sorted[Math.floor(sorted.length / 2)]
  if (low === undefined || high === undefined) throw new Error('expected at least one value')
  return (low + high) / 2
}
