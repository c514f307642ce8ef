/** The scanner that this machine can run. */

import type { LineScanner, ScannerOptions } from './scanned-runs.ts'
import { createWasmScanner } from './wasm-scanner.ts'

/** A scanner in WASM, or its plain twin where a Node runs without WebAssembly (`--jitless`), loaded only then. */
export async function createScanner(options: ScannerOptions): Promise<LineScanner> {
  if ('WebAssembly' in globalThis) return createWasmScanner(options)
  const { createPlainScanner } = await import('./plain-scanner.ts')
  return createPlainScanner(options)
}
