/** The bundled hostile logs have the fates that their own oracle states. */
import { readFileSync } from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { readDeliveryLayout } from '#src/log/delivery-layout.js'
import { SCANNERS, scanOnce } from './scan-text.ts'

interface ExpectedLog {
  readonly file: string
  readonly lines: number
  readonly comments: number
  readonly blank: number
  readonly kept: number
  readonly skipped: Readonly<Record<string, number>>
  readonly rejected: Readonly<Record<string, number>>
  readonly rows: number
  readonly fates: readonly string[]
}

const FIXTURES = new URL('../../fixtures/', import.meta.url)
const read = (name: string): Uint8Array => new Uint8Array(readFileSync(new URL(name, FIXTURES)))
const expectedLogs: readonly ExpectedLog[] = JSON.parse(Buffer.from(read('hostile/expected.json')).toString())
const hostile = suite('hostile fixtures')

for (const { name, create } of SCANNERS) {
  hostile(`${name}: every line of every hostile log has its fate`, () => {
    assert.ok(expectedLogs.length >= 10)
    for (const expected of expectedLogs) {
      const bytes = read(`hostile/${expected.file}`)
      for (const commitByteLengths of [[bytes.length + 1], [7, 1, 64]]) {
        const { counts } = scanOnce(create, bytes, { firstPiece: true, commitByteLengths })
        const { lines, comments, blank, kept, rows } = expected
        assert.equal(
          [counts.lines, counts.comments, counts.blank, counts.kept, counts.rows],
          [lines, comments, blank, kept, rows],
          expected.file,
        )
        const fates = counts.rejectedLines.map((line) => [line.lineIndex, line.reason])
        const wanted = expected.fates.flatMap((fate, i) => (/^[A-Z]/.test(fate) ? [[i, fate]] : []))
        assert.equal(fates, wanted, expected.file)
      }
    }
  })

  hostile(`${name}: the sample has the counts that are stated for it`, () => {
    const bytes = read('sample.log')
    const header = bytes.subarray(0, bytes.indexOf(10))
    assert.is(readDeliveryLayout(header).ok, true)
    const { counts } = scanOnce(create, bytes, { header, commitByteLengths: [65_536] })
    const stated: { counts?: Record<string, number> } & Record<string, unknown> = JSON.parse(
      Buffer.from(read('sample.expected.json')).toString(),
    )
    assert.is(counts.kept, Number(stated['kept'] ?? stated.counts?.['kept']))
    assert.is(counts.rows, Number(stated['rows'] ?? stated.counts?.['rows']))
    assert.is(counts.otherHeaderCount, 0)
  })
}

hostile.run()
