/** The scanner that this machine can run. */

import { createPlainScanner } from './plain-scanner.ts'
import type { LineScanner, ScannerOptions } from './scanned-runs.ts'
import { createWasmScanner } from './wasm-scanner.ts'

/** A scanner in WASM, or its plain twin where a Node runs without WebAssembly (`--jitless`). */
export function createScanner(options: ScannerOptions): LineScanner {
  return !('WebAssembly' in globalThis) ? createPlainScanner(options) : createWasmScanner(options)
}
