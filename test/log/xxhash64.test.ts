/** The scanner's hashes are XXH64 with seed 0, in WASM and in plain TypeScript. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { plainXxhash64 } from '#src/log/plain-xxhash64.js'
import { createWasmScanner } from '#src/log/wasm-scanner.js'
import { latin1, makeLine, scanPiece, utf8 } from './scan-text.ts'

/** Published vectors of XXH64 with seed 0: of the empty string, and of texts that other implementations test with. */
const VECTORS: readonly [string, string][] = [
  ['', 'ef46db3751d8e999'],
  ['a', 'd24ec4f1a98c6e5b'],
  ['abc', '44bc2cf5ad770999'],
  ['Nobody inspects the spammish repetition', 'fbcea83c8a378bf1'],
]

const hashes = suite('xxhash64')
const hex = ({ low, high }: { low: number; high: number }): string =>
  [high, low].map((half) => half.toString(16).padStart(8, '0')).join('')

hashes('both hash as published', () => {
  const scanner = createWasmScanner()
  for (const [text, expected] of VECTORS) {
    assert.is(hex(scanner.xxhash64(utf8(text))), expected, `WASM of '${text}'`)
    assert.is(hex(plainXxhash64(utf8(text))), expected, `plain of '${text}'`)
  }
})

hashes('both agree on every length up to 200', () => {
  const scanner = createWasmScanner()
  for (let length = 0; length <= 200; length++) {
    const bytes = Uint8Array.from({ length }, (_, i) => (i * 151 + length) & 0xff)
    assert.equal(scanner.xxhash64(bytes), plainXxhash64(bytes), `length ${length}`)
  }
})

hashes('hashing does not disturb a scan', () => {
  const scanner = createWasmScanner()
  scanner.beginPiece({
    fieldCount: 7,
    date: 0,
    time: 1,
    ip: 2,
    userAgent: 3,
    request: 4,
    status: 5,
    byteRange: 6,
  })
  const line = latin1(makeLine())
  scanner.reserve(20).set(line.subarray(0, 20))
  scanner.commit(20)
  assert.is(hex(scanner.xxhash64(utf8('abc'))), '44bc2cf5ad770999')
  scanner.reserve(line.length - 20).set(line.subarray(20))
  scanner.commit(line.length - 20)
  assert.is(scanner.endPiece().kept, 1)
})

hashes('tables carry the hash of each value', () => {
  const scanner = createWasmScanner()
  scanPiece(scanner, latin1(makeLine({ ip: 'abc' })))
  const { ipTable } = scanner.finish()
  assert.is(hex({ low: ipTable.hashLow[0] ?? 0, high: ipTable.hashHigh[0] ?? 0 }), '44bc2cf5ad770999')
})

hashes.run()
