/** Loads what the build compiles to WebAssembly. */

import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { Failure } from './failure.ts'

/** Compiles a module of the build. Throws a `Failure` (ENVIRONMENT) when it is not there. */
export function compileWasm(name: 'scanner' | 'encoder'): WebAssemblyModule {
  // `import.meta.resolve` is missing where a thread loads this file through `require`.
  const path = createRequire(import.meta.url).resolve(`#wasm/${name}.wasm`)
  try {
    return new WebAssembly.Module(readFileSync(path))
  } catch (cause) {
    throw new Failure(
      'ENVIRONMENT',
      `the compiled ${name} cannot be loaded from ${path}; it comes from the build`,
      { cause },
    )
  }
}
