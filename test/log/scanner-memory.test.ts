/** Memory follows what is kept, not what is read; running out of it is a failure with a name. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Failure } from '#src/base/failure.js'
import { DEFAULT_DELIVERY_LAYOUT } from '#src/log/delivery-layout.js'
import type { LineScanner, PieceCounts } from '#src/log/scanned-runs.js'
import { createWasmScanner } from '#src/log/wasm-scanner.js'
import { latin1, makeLine, SCANNERS, scanPiece } from './scan-text.ts'

const MEGABYTE = 2 ** 20

/** Commits `parts` one after the other; a part that is a number is so many bytes of `x`. */
function commitParts(scanner: LineScanner, parts: readonly (string | number)[]): PieceCounts {
  scanner.beginPiece(DEFAULT_DELIVERY_LAYOUT)
  for (const part of parts) {
    const byteLength = typeof part === 'number' ? part : part.length
    const memory = scanner.reserve(byteLength)
    if (typeof part === 'number') memory.fill(0x78)
    else memory.set(latin1(part))
    scanner.commit(byteLength)
  }
  return scanner.endPiece()
}

const memory = suite('scanner memory')

for (const { name, create } of SCANNERS) {
  memory(`${name}: a line of 200 MB is rejected whole, the lines around it are kept`, () => {
    const scanner = create({ keepRejectedText: true })
    const parts = [`${makeLine()}\n`, ...Array.from({ length: 200 }, () => MEGABYTE), `\n${makeLine()}\n`]
    const counts = commitParts(scanner, parts)
    assert.is(counts.kept, 2)
    assert.is(counts.lines, 3)
    const line = counts.rejectedLines[0]
    assert.equal(
      { ...line, text: line?.text?.length },
      {
        reason: 'LONG_LINE',
        byteOffset: makeLine().length + 1,
        byteLength: 200 * MEGABYTE,
        lineIndex: 1,
        text: 1024,
      },
    )
  })

  memory(`${name}: a long comment is a comment, and a TAB anywhere in it is noticed`, () => {
    const counts = commitParts(create(), ['#', MEGABYTE, '\n#', MEGABYTE, 'x\tx', MEGABYTE, '\n#\t', 70_000])
    assert.is(counts.comments, 3)
    assert.equal(
      counts.otherHeaders.map((place) => [place.lineIndex, place.byteLength]),
      [
        [1, 2 * MEGABYTE + 4],
        [2, 70_002],
      ],
    )
  })

  memory(`${name}: a last line without line feed may be long`, () => {
    const counts = commitParts(create(), ['\n', 65_537])
    assert.equal([counts.lines, counts.blank, counts.rejected.LONG_LINE], [2, 1, 1])
    assert.is(commitParts(create(), ['\n', 65_536]).rejected.BAD_FIELDS, 1)
  })
}

memory('the memory of a line of 200 MB is that of a commit', () => {
  const scanner = createWasmScanner({ memoryLimitByteLength: 8 * MEGABYTE })
  const counts = commitParts(
    scanner,
    Array.from({ length: 200 }, () => MEGABYTE),
  )
  assert.is(counts.rejected.LONG_LINE, 1)
})

memory('one shard after the other uses the same memory', () => {
  const scanner = createWasmScanner({ memoryLimitByteLength: 48 * MEGABYTE })
  for (let shard = 0; shard < 30; shard++) {
    const lines = Array.from({ length: 20_000 }, (_, i) =>
      makeLine({ ip: `${shard}.${i}`, request: `/${i % 100}` }),
    )
    assert.is(scanPiece(scanner, latin1(lines.join('\n'))).kept, 20_000)
    assert.is(scanner.finish().ipTable.count, 20_000)
    scanner.reset()
  }
})

memory('a shard that does not fit fails with a failure, not a trap', () => {
  const isFailure = (error: unknown): boolean =>
    error instanceof Failure && error.code === 'ENVIRONMENT' && /smaller shards/.test(error.message)
  for (const memoryLimitByteLength of [4, 6, 8, 12, 16, 24].map((megabytes) => megabytes * MEGABYTE)) {
    const scanner = createWasmScanner({ memoryLimitByteLength })
    let shard = ''
    for (let i = 0; i < 150_000; i++)
      shard += `${makeLine({ ip: `${i}`, userAgent: `u${i}`, request: `/${i}` })}\n`
    assert.throws(() => {
      scanPiece(scanner, latin1(shard), { commitByteLengths: [MEGABYTE] })
      scanner.finish()
    }, isFailure)
  }
})

memory('a hostile million of lines that are rejected costs a bounded list', () => {
  const scanner = createWasmScanner({ memoryLimitByteLength: 32 * MEGABYTE, keepRejectedText: true })
  const counts = scanPiece(scanner, latin1('x\n'.repeat(1_000_000)), { commitByteLengths: [MEGABYTE] })
  assert.is(counts.rejected.BAD_FIELDS, 1_000_000)
  assert.is(counts.rejectedLines.length, 16_384)
})

memory.run()
