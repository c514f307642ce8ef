/**
 * As much of the global `WebAssembly` as is used; the types of Node 20 leave it out. The only module that
 * is ever instantiated is the scanner, so its exports are declared here too.
 */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => WebAssemblyModule
  readonly Instance: new (
    module: WebAssemblyModule,
  ) => { readonly exports: import('./scanner-module.ts').ScannerExports }
}

interface WebAssemblyModule {
  readonly [Symbol.toStringTag]: 'WebAssembly.Module'
}
