/** Writing files so that they are whole or absent. */

import { type FileHandle, open } from 'node:fs/promises'
import { attemptedAsync, Failure } from '../base/failure.ts'

/** Writes all of `bytes` at `byteOffset`: a single write may take less than it is given. */
export async function writeFully(
  file: FileHandle,
  path: string,
  bytes: Uint8Array,
  byteOffset: number,
): Promise<void> {
  for (let at = 0; at < bytes.length; ) {
    const { bytesWritten } = await attemptedAsync(path, 'write', () =>
      file.write(bytes, at, bytes.length - at, byteOffset + at),
    )
    if (bytesWritten === 0) throw new Failure('ENVIRONMENT', `cannot write ${path}: the disk took no bytes`)
    at += bytesWritten
  }
}

/** Makes a rename in `directory` last: the directory entry itself is written to disk. */
export async function syncDirectory(directory: string): Promise<void> {
  const handle = await attemptedAsync(directory, 'open', () => open(directory, 'r'))
  try {
    await attemptedAsync(directory, 'sync', () => handle.sync())
  } finally {
    await attemptedAsync(directory, 'close', () => handle.close())
  }
}
