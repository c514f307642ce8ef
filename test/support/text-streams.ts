/** Streams that keep what is written to them, in place of a terminal. */

import { Writable } from 'node:stream'
import type { OutputStream } from '#src/interface/terminal.js'

export interface CapturedStream extends OutputStream {
  text(): string
}

export function captureStream(terminal?: { readonly columns: number }): CapturedStream {
  const parts: Buffer[] = []
  const stream = new Writable({
    write(part: Buffer, _encoding, done) {
      parts.push(part)
      done()
    },
  })
  return Object.assign(stream, {
    // A character may come in two parts.
    text: () => Buffer.concat(parts).toString('utf8'),
    ...(terminal && { isTTY: true, columns: terminal.columns }),
  })
}
