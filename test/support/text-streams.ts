/** Streams that keep what is written to them, in place of a terminal. */

import { Writable } from 'node:stream'
import type { OutputStream } from '#src/interface/terminal.js'

export interface CapturedStream extends OutputStream {
  text(): string
}

export function captureStream(terminal?: { readonly columns: number }): CapturedStream {
  const parts: string[] = []
  const stream = new Writable({
    decodeStrings: false,
    write(part, _encoding, done) {
      parts.push(String(part))
      done()
    },
  })
  return Object.assign(stream, {
    text: () => parts.join(''),
    ...(terminal && { isTTY: true, columns: terminal.columns }),
  })
}
