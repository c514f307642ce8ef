/** Where a command reads from and writes to, so that tests and the tour can stand in for a terminal. */

import type { Readable } from 'node:stream'
import { escapeControls } from './escape-text.ts'
import type { OutputStream } from './terminal.ts'

/** The world outside, as far as a command touches it. */
export interface Streams {
  readonly stdin: Readable
  readonly stdout: OutputStream
  readonly stderr: OutputStream
  readonly environment: NodeJS.ProcessEnv
  /** How the program was called: the beginning of every example. */
  readonly program: string
}

/** Exit codes as grep's: 0 delivered or done, 1 not delivered, 2 no answer; 130 as a shell reports Ctrl-C. */
export type ExitCode = 0 | 1 | 2 | 130

/** Writes a note for people to standard error. */
export function writeNote(streams: Streams, note: string): void {
  streams.stderr.write(`note: ${escapeControls(note)}\n`)
}
