import { crc32 as nativeCrc32 } from 'node:zlib'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { crc32 } from '#src/parquet/crc32.js'

const checksums = suite('CRC-32')

checksums('the check value of the polynomial', () => {
  const digits = new TextEncoder().encode('123456789')
  assert.is(crc32(digits, 0, digits.length), 0xcbf4_3926)
})

checksums('every length around the limits of both paths, at every alignment, as zlib has it', () => {
  const bytes = Uint8Array.from({ length: 300 }, (_, i) => (i * 197) ^ (i >>> 3))
  for (let start = 0; start < 5; start++) {
    for (let end = start; end <= bytes.length; end++) {
      assert.is(crc32(bytes, start, end), nativeCrc32(bytes.slice(start, end)))
    }
  }
})

checksums.run()
