/**
 * As much of the global `WebAssembly` as is used; the types of Node 20 leave it out. Whoever makes an
 * instance says what the module exports: nothing checks it but the tests.
 */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => WebAssemblyModule
  readonly Instance: new <Exports>(module: WebAssemblyModule) => { readonly exports: Exports }
}

interface WebAssemblyModule {
  readonly [Symbol.toStringTag]: 'WebAssembly.Module'
}
