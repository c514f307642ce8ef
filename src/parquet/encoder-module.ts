/** Loads the compiled encoder (`assembly/encoder.ts`) and says what it exports. */

import { compileWasm } from '../base/wasm-module.ts'

/** What the module exports; addresses and lengths are unsigned, 0 for an address means memory is exhausted. */
export interface EncoderExports {
  readonly memory: { readonly buffer: ArrayBuffer }
  setUp(memoryLimit: number): number
  sequenceTablesAddress(): number
  reserve(runCount: number): number
  encode(): number
  resultsAddress(): number
}

let compiled: WebAssemblyModule | undefined

/** A fresh instance; the module is compiled once a thread. Throws a `Failure` when there is no module. */
export function instantiateEncoder(): EncoderExports {
  compiled ??= compileWasm('encoder')
  return new WebAssembly.Instance<EncoderExports>(compiled).exports
}
