/** The encoder of position pages that this machine can run. */

import type { PositionPageEncoder } from './position-pages.ts'
import { createWasmPositionPages } from './wasm-position-pages.ts'

/** The compiled encoder, or its plain twin where a Node runs without WebAssembly (`--jitless`), loaded only then. */
export async function createPositionPageEncoder(): Promise<PositionPageEncoder> {
  if ('WebAssembly' in globalThis) return createWasmPositionPages()
  const { PlainPositionPages } = await import('./plain-position-pages.ts')
  return new PlainPositionPages()
}
