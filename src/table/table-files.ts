/** What a commit does to the disk, one step a function, so that tests can fail or stop at each of them. */

import { randomUUID } from 'node:crypto'
import { link, open, rename, unlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { attemptedAsync, Failure } from '../base/failure.ts'
import { makeDirectories } from '../base/make-directories.ts'

/** A file that is being written. */
export interface TempFile {
  /** Writes at the end of what was written; may take less than it is given, and says how much it took. */
  write(bytes: Uint8Array): Promise<{ readonly bytesWritten: number }>
  sync(): Promise<void>
  close(): Promise<void>
}

/** The steps. They throw what Node throws, with its `code`. */
export interface TableFiles {
  /** Makes a directory and those above it; tells the first that was made, or undefined when all were there. */
  makeDirectory(path: string): Promise<string | undefined>
  /** Creates a file that must not exist. */
  createTemp(path: string): Promise<TempFile>
  /** Gives a file a second name; fails with EEXIST when that is taken. This is the put-if-absent. */
  link(from: string, to: string): Promise<void>
  rename(from: string, to: string): Promise<void>
  unlink(path: string): Promise<void>
  /** Makes what happened to names in a directory last. */
  syncDirectory(path: string): Promise<void>
}

/** The real steps. */
export const DISK_FILES: TableFiles = {
  makeDirectory: makeDirectories,
  async createTemp(path) {
    const file = await open(path, 'wx')
    return {
      write: (bytes) => file.write(bytes),
      sync: () => file.sync(),
      close: () => file.close(),
    }
  },
  link,
  rename,
  unlink,
  async syncDirectory(path) {
    const handle = await open(path, 'r')
    try {
      await handle.sync()
    } finally {
      await handle.close()
    }
  },
}

/** What begins and ends the names of temporary files; no reader of the log looks at names with a leading dot. */
const TEMP_NAME = /^\.(commit|checkpoint|hint|first-run)-[0-9a-f-]{36}\.tmp$/

/** Whether a name in the log's directory is one of our temporary files. */
export function isTempName(name: string): boolean {
  return TEMP_NAME.test(name)
}

/** Whether a name in the log's directory is the mark of a first run, see first-run.ts. */
export function isFirstRunName(name: string): boolean {
  return TEMP_NAME.exec(name)?.[1] === 'first-run'
}

/**
 * Writes a temporary file in `directory` and waits until it is on disk. Returns its path. When that fails
 * nothing is left behind (as far as the disk still allows), and the failure is ENVIRONMENT.
 */
export async function writeTemp(
  files: TableFiles,
  directory: string,
  kind: 'commit' | 'checkpoint' | 'hint' | 'first-run',
  bytes: Uint8Array,
): Promise<string> {
  const path = join(directory, `.${kind}-${randomUUID()}.tmp`)
  const file = await attemptedAsync(path, 'create', () => files.createTemp(path))
  try {
    try {
      await attemptedAsync(path, 'write', () => writeWhole(file, path, bytes))
      await attemptedAsync(path, 'sync', () => file.sync())
    } finally {
      await attemptedAsync(path, 'close', () => file.close())
    }
  } catch (failure) {
    await removeLeftover(files, path)
    throw failure
  }
  return path
}

async function writeWhole(file: TempFile, path: string, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length; ) {
    const { bytesWritten } = await file.write(bytes.subarray(at))
    if (bytesWritten === 0) throw new Failure('ENVIRONMENT', `cannot write ${path}: the disk took no bytes`)
    at += bytesWritten
  }
}

/** Removes a temporary file; one that cannot be removed stays for vacuum. Returns whether it is gone. */
export async function removeLeftover(files: TableFiles, path: string): Promise<boolean> {
  try {
    await files.unlink(path)
    return true
  } catch (_cause) {
    // Whatever made this necessary is the failure to report; the name is invisible to every reader.
    return false
  }
}

/**
 * Makes a directory and waits until all that was made of its path is on disk. `isFirstUse`: a writer that died
 * may have made it and not waited, so when it is there already, it and the directory above are waited for.
 */
export async function makeDirectory(files: TableFiles, path: string, isFirstUse: boolean): Promise<void> {
  const made = await attemptedAsync(path, 'create', () => files.makeDirectory(path))
  const first = made ?? (isFirstUse ? dirname(path) : undefined)
  if (first === undefined) return
  for (let child = path; ; child = dirname(child)) {
    const parent = dirname(child)
    await attemptedAsync(parent, 'sync', () => files.syncDirectory(parent))
    if (child === first || parent === child) return
  }
}

/** Replaces `to` by the temporary file `from`, durably: readers see the old file or the new one. */
export async function replaceFile(files: TableFiles, from: string, to: string): Promise<void> {
  try {
    await attemptedAsync(to, 'publish', () => files.rename(from, to))
  } catch (failure) {
    await removeLeftover(files, from)
    throw failure
  }
  const directory = dirname(to)
  await attemptedAsync(directory, 'sync', () => files.syncDirectory(directory))
}
