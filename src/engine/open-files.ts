/** Files that are written in turns: a run into a store may have one for each of thousands of days. */

import { type FileHandle, open } from 'node:fs/promises'
import { attemptedAsync } from '../base/failure.ts'

/** So many are open at once; the others are opened again when their turn comes. */
const OPEN_FILE_LIMIT = 48

/** Keeps the files that were used last open. */
export class OpenFiles {
  /** In order of use. */
  private readonly handles = new Map<string, FileHandle>()
  private readonly limit: number

  constructor(limit: number = OPEN_FILE_LIMIT) {
    this.limit = limit
  }

  /** Creates a file that must not exist, for reading and writing. */
  async create(path: string): Promise<void> {
    await this.makeRoom()
    this.handles.set(path, await attemptedAsync(path, 'create', () => open(path, 'wx+')))
  }

  /** A created file, open until the next call of anything here. */
  async get(path: string): Promise<FileHandle> {
    let handle = this.handles.get(path)
    if (handle === undefined) {
      await this.makeRoom()
      handle = await attemptedAsync(path, 'open', () => open(path, 'r+'))
    } else {
      this.handles.delete(path)
    }
    this.handles.set(path, handle)
    return handle
  }

  /** Closes a file; does nothing when it is not open. */
  async close(path: string): Promise<void> {
    const handle = this.handles.get(path)
    if (handle === undefined) return
    this.handles.delete(path)
    await attemptedAsync(path, 'close', () => handle.close())
  }

  private async makeRoom(): Promise<void> {
    const [oldest] = this.handles.keys()
    if (oldest !== undefined && this.handles.size >= this.limit) await this.close(oldest)
  }
}
