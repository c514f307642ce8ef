/** Whatever the text and however it is cut, both scanners give the same: counts, rejects, tables, order. */
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { DEFAULT_DELIVERY_LAYOUT } from '#src/log/delivery-layout.js'
import { REJECT_REASONS } from '#src/log/scanned-runs.js'
import { createWasmScanner } from '#src/log/wasm-scanner.js'
import { randomCuts, randomLog } from './random-log.ts'
import { copyRuns, latin1, makeLine, SCANNERS, scanOnce, scanPiece } from './scan-text.ts'

/** Pinned; a failure prints it with the smallest text that fails. */
const SEED = 20240518
const OPTIONS = { keepRejectedText: true, rejectedLineLimit: 50 }

const twins = suite('scanner twins')

twins('WASM and plain TypeScript agree on random logs', () => {
  fc.assert(
    fc.property(randomLog, fc.boolean(), (log, firstPiece) => {
      const [wasm, plain] = SCANNERS.map(({ create }) => scanOnce(create, log, { firstPiece }, OPTIONS))
      assert.equal(wasm, plain)
    }),
    { seed: SEED, numRuns: 150 },
  )
})

twins('the random logs have every fate in them', () => {
  const found = new Set<string>()
  for (const log of fc.sample(randomLog, { seed: SEED, numRuns: 60 })) {
    const { counts } = scanOnce(createWasmScanner, log, { firstPiece: true })
    for (const reason of REJECT_REASONS) if (counts.rejected[reason] > 0) found.add(reason)
    if (counts.kept > 0) found.add('kept')
    if (counts.skippedStatus > 0) found.add('skipped')
    if (counts.blank > 0) found.add('blank')
    if (counts.otherHeaderCount > 0) found.add('header')
  }
  assert.is(found.size, REJECT_REASONS.length + 4, [...found].join(' '))
})

for (const { name, create } of SCANNERS) {
  twins(`${name}: the cuts between commits change nothing`, () => {
    fc.assert(
      fc.property(randomLog, randomCuts, fc.boolean(), (log, commitByteLengths, firstPiece) => {
        const whole = scanOnce(create, log, { firstPiece }, OPTIONS)
        assert.equal(scanOnce(create, log, { firstPiece, commitByteLengths }, OPTIONS), whole)
      }),
      { seed: SEED + 1, numRuns: 100 },
    )
  })

  twins(`${name}: every line is counted once`, () => {
    fc.assert(
      fc.property(randomLog, (log) => {
        const { counts } = scanOnce(create, log)
        const rejected = REJECT_REASONS.reduce((sum, reason) => sum + counts.rejected[reason], 0)
        assert.is(
          counts.lines,
          counts.comments + counts.blank + counts.kept + counts.skippedStatus + rejected,
        )
        const lineFeeds = log.filter((byte) => byte === 10).length
        assert.is(counts.lines, lineFeeds + (log.length > 0 && log[log.length - 1] !== 10 ? 1 : 0))
        assert.is(counts.byteLength, log.length)
      }),
      { seed: SEED + 2, numRuns: 60 },
    )
  })

  twins(`${name}: pieces are counted apart and sorted together`, () => {
    fc.assert(
      fc.property(fc.array(randomLog, { minLength: 1, maxLength: 4 }), (logs) => {
        const scanner = create()
        const counts = logs.map((log) => scanPiece(scanner, log))
        assert.is(
          scanner.runCount,
          counts.reduce((sum, piece) => sum + piece.kept, 0),
        )
        const together = copyRuns(scanner.finish())
        assert.equal(
          counts,
          logs.map((log) => scanOnce(create, log).counts),
        )
        const joined = latin1(logs.map((log) => Buffer.from(log).toString('latin1')).join('\n'))
        assert.equal(together, scanOnce(create, joined).runs)
      }),
      { seed: SEED + 3, numRuns: 30 },
    )
  })

  twins(`${name}: after a reset nothing of the shard before is left`, () => {
    const scanner = create()
    for (const log of fc.sample(randomLog, { seed: SEED + 4, numRuns: 20 })) {
      const counts = scanPiece(scanner, log)
      assert.equal({ counts, runs: copyRuns(scanner.finish()) }, scanOnce(create, log))
      scanner.reset()
      assert.is(scanner.runCount, 0)
    }
  })

  twins(`${name}: a layout in any order with columns between reads the same runs`, () => {
    const rows = [makeLine(), makeLine({ ip: '192.0.2.2', byteRange: '0-1' }), makeLine({ userAgent: '' })]
    const reordered = rows.map((row) => {
      const [date, time, ip, userAgent, request, status, byteRange] = row.split('\t')
      return [byteRange, 'x', request, ip, '', status, time, userAgent, date].join('\t')
    })
    const layout = {
      fieldCount: 9,
      byteRange: 0,
      request: 2,
      ip: 3,
      status: 5,
      time: 6,
      userAgent: 7,
      date: 8,
    }
    const usual = scanOnce(create, latin1(rows.join('\n')))
    const other = scanOnce(create, latin1(reordered.join('\r\n')), { layout })
    assert.equal(other.runs, usual.runs)
    assert.is(other.counts.kept, 3)
  })

  twins(`${name}: what follows a value is no part of it, line ends neither`, () => {
    const layout = {
      fieldCount: 7,
      date: 0,
      time: 1,
      userAgent: 2,
      ip: 3,
      status: 4,
      byteRange: 5,
      request: 6,
    }
    for (const length of [1, 2, 7, 8, 15, 16, 17, 31, 32, 33, 63, 64, 65, 130]) {
      const value = 'v'.repeat(length)
      const row = ['2020-07-31', '16:46:07', value, value, '206', '0-9', value].join('\t')
      const { counts, runs } = scanOnce(create, latin1(`${row}\n${row}\r\n${row}\n#\n${row}`), { layout })
      assert.is(counts.kept, 4)
      assert.equal([runs['requests'], runs['ips'], runs['userAgents']], [[value], [value], [value]])
    }
  })

  twins(`${name}: a byte order mark counts for nothing at the start of an input, and only there`, () => {
    const mark = '\xef\xbb\xbf'
    const text = latin1(`${mark}${makeLine()}\n${mark}${makeLine()}\n`)
    for (const commitByteLengths of [[text.length], [1], [2, 1], [4]]) {
      const first = scanOnce(create, text, { firstPiece: true, commitByteLengths }).counts
      assert.is(first.kept, 1)
      assert.is(first.rejected.BAD_DATE, 1)
      assert.is(scanOnce(create, text, { commitByteLengths }).counts.rejected.BAD_DATE, 2)
    }
    const marks = [mark, `${mark}\n`, `${mark}#\tb`, '\xef\xbb', '\xef\n']
    const counted = marks.map((bytes) => scanOnce(create, latin1(bytes), { firstPiece: true }).counts)
    assert.equal(
      counted.map((counts) => [counts.lines, counts.blank, counts.comments, counts.rejected.BAD_FIELDS]),
      [
        [0, 0, 0, 0],
        [1, 1, 0, 0],
        [1, 0, 1, 0],
        [1, 0, 0, 1],
        [1, 0, 0, 1],
      ],
    )
    assert.is(counted[2]?.otherHeaders[0]?.byteOffset, 3)
  })

  twins(`${name}: a call out of order is refused`, () => {
    const scanner = create()
    const layout = { ...DEFAULT_DELIVERY_LAYOUT, status: 7 }
    assert.throws(() => scanner.beginPiece(layout), /bug in byteledger: status is field 7 of 7/)
    assert.throws(() => scanner.commit(0), /bug in byteledger: commit/)
    scanner.beginPiece(DEFAULT_DELIVERY_LAYOUT)
    assert.throws(() => scanner.finish(), /bug in byteledger: finish/)
    scanner.reserve(5)
    assert.throws(() => scanner.commit(6), /bug in byteledger: commit of 6 bytes/)
  })
}

twins.run()
