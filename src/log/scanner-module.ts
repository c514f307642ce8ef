/**
 * Loads the compiled scanner (`assembly/scanner.ts`) and says what it exports.
 */

import { compileWasm } from '../base/wasm-module.ts'

/** What the module exports; addresses and lengths are unsigned, 0 for an address means memory is exhausted. */
export interface ScannerExports {
  readonly memory: { readonly buffer: ArrayBuffer }
  configure(
    maxRangeByteLength: number,
    rejectedLineLimit: number,
    keepRejectedText: number,
    memoryLimit: number,
    sortWordBits: number,
  ): void
  layoutAddress(): number
  reserveHeader(byteLength: number): number
  reserveProgram(byteLength: number): number
  beginPiece(atInputStart: number, hasProgram: number): void
  reserve(byteLength: number): number
  commit(byteLength: number): number
  endPiece(): number
  countsAddress(): number
  rejectsAddress(): number
  rejectTextsAddress(): number
  otherHeadersAddress(): number
  runsSoFar(): number
  extrasSoFar(): number
  extrasAddress(): number
  drop(flags: number): number
  finish(): number
  lengthsAddress(): number
  lengthsCount(): number
  runLengthsCount(): number
  toldRanksAddress(): number
  requestRanksAddress(): number
  resultsAddress(): number
  reset(): void
  reserveHashInput(byteLength: number): number
  hash64(address: number, byteLength: number): bigint
}

let compiled: WebAssemblyModule | undefined

/** A fresh instance; the module is compiled once a thread. Throws a `Failure` when there is no module. */
export function instantiateScanner(): ScannerExports {
  compiled ??= compileWasm('scanner')
  return new WebAssembly.Instance<ScannerExports>(compiled).exports
}
