/** The steps of a commit on the real disk, with one step at which something happens. */

import { DISK_FILES, type TableFiles } from '#src/table/table-files.js'

/** Counts steps; `fault` is called instead of, or before, the one that is wanted. */
export interface Fault {
  /** From 0; steps in the order in which a commit takes them. */
  readonly step: number
  /** Kills the process, or throws. When it returns, the step is taken. */
  readonly fault: (name: string) => void
}

/** An error as Node throws it for a system call. */
export function systemError(code: string, name: string): Error {
  return Object.assign(new Error(`${code}: injected into ${name}`), { code })
}

/**
 * Wraps the real steps. A faulty write first writes half of its bytes, so that a file is left unfinished.
 * `steps` collects the names of all steps that were begun.
 */
export function faultyFiles({ step, fault }: Fault, steps: string[] = []): TableFiles {
  const begin = (name: string): void => {
    const ordinal = steps.length
    steps.push(name)
    if (ordinal === step) fault(name)
  }
  const stepwise =
    <Args extends readonly unknown[], Result>(name: string, act: (...args: Args) => Promise<Result>) =>
    async (...args: Args): Promise<Result> => {
      begin(name)
      return await act(...args)
    }
  return {
    makeDirectory: stepwise('makeDirectory', DISK_FILES.makeDirectory),
    link: stepwise('link', DISK_FILES.link),
    rename: stepwise('rename', DISK_FILES.rename),
    unlink: stepwise('unlink', DISK_FILES.unlink),
    syncDirectory: stepwise('syncDirectory', DISK_FILES.syncDirectory),
    async createTemp(path) {
      begin('createTemp')
      const file = await DISK_FILES.createTemp(path)
      return {
        async write(bytes) {
          if (steps.length === step) await file.write(bytes.subarray(0, bytes.length >> 1))
          begin('write')
          return await file.write(bytes)
        },
        sync: stepwise('sync', () => file.sync()),
        async close() {
          // Closed in any case: a test must not run out of handles.
          await file.close()
          begin('close')
        },
      }
    },
  }
}
