/** Runs come sorted by (request, ip, user agent as bytes, first, epoch, last), tables by bytes, nothing is lost. */
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createWasmScanner } from '#src/log/wasm-scanner.js'
import { copyRuns, type LineFields, latin1, makeLine, SCANNERS, scanOnce, scanPiece } from './scan-text.ts'

const SEED = 20240519

type Row = readonly [
  request: string,
  ip: string,
  userAgent: string,
  first: number,
  epoch: number,
  last: number,
]

/** Seconds as the fields of a line of the first day. */
function makeRowLine([request, ip, userAgent, first, epoch, last]: Row): string {
  const time = new Date(epoch * 1000).toISOString()
  const fields: Partial<LineFields> = { request, ip, userAgent, byteRange: `${first}-${last}` }
  return makeLine({ ...fields, date: time.slice(0, 10), time: time.slice(11, 19) })
}

function compareText(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a, 'latin1'), Buffer.from(b, 'latin1'))
}

function sortRows(rows: readonly Row[]): Row[] {
  return [...rows].sort(
    (a, b) =>
      compareText(a[0], b[0]) ||
      compareText(a[1], b[1]) ||
      compareText(a[2], b[2]) ||
      a[3] - b[3] ||
      a[4] - b[4] ||
      a[5] - b[5],
  )
}

function readRows(runs: Record<string, readonly (number | string)[]>): Row[] {
  const number = (list: string, i: number): number => Number(runs[list]?.[i])
  const text = (table: string, list: string, i: number): string => String(runs[table]?.[number(list, i)])
  return Array.from({ length: Number(runs['counts']?.[0]) }, (_, i) => [
    text('requests', 'request', i),
    text('ips', 'ip', i),
    text('userAgents', 'userAgent', i),
    number('first', i),
    number('epochSeconds', i),
    number('last', i),
  ])
}

function distinct(values: readonly string[]): string[] {
  return [...new Set(values)].sort(compareText)
}

const shared = 'a-long-beginning-that-many-values-have-in-common-'
const value = fc.oneof(
  fc.constantFrom('a', 'b', 'ab', 'aa', 'a\x01', 'a\xc3\xa9', 'a\xf0\x9f\x8e\xa7', 'a\x7f'),
  fc.integer({ min: 0, max: 40 }).map((i) => shared + String(i)),
  fc.tuple(fc.nat(255), fc.nat(3)).map(([a, b]) => `10.0.${a}.${b}`),
  fc.nat(60).map((length) => 'x'.repeat(length + 1)),
)
const row: fc.Arbitrary<Row> = fc
  .tuple(value, value, value, fc.nat(40), fc.nat(5), fc.nat(3))
  .map(([request, ip, userAgent, first, epoch, length]) => [
    request,
    ip,
    userAgent,
    first,
    epoch,
    first + length,
  ])

/** Deterministic numbers for the large cases. */
function createNumbers(seed: number): (limit: number) => number {
  let state = seed
  return (limit) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * limit)
  }
}

const order = suite('run order')

for (const { name, create } of SCANNERS) {
  order(`${name}: runs and tables are in byte order`, () => {
    fc.assert(
      fc.property(fc.array(row, { maxLength: 400, size: 'max' }), (rows) => {
        const { runs } = scanOnce(create, latin1(rows.map(makeRowLine).join('\n')))
        assert.equal(readRows(runs), sortRows(rows))
        assert.equal(runs['requests'], distinct(rows.map(([request]) => request)))
        assert.equal(runs['ips'], distinct(rows.map(([, ip]) => ip)))
        assert.equal(runs['userAgents'], distinct(rows.map(([, , userAgent]) => userAgent)))
      }),
      { seed: SEED, numRuns: 60 },
    )
  })

  order(`${name}: no line at all gives empty lists`, () => {
    const { runs } = scanOnce(create, latin1('# nothing\n'))
    assert.equal(runs['counts'], [0, 0, 0, 0])
    assert.equal(runs['offsets'], [0, 0, 0])
  })

  order(`${name}: values that are equal for long stretches are told apart`, () => {
    const rows = Array.from({ length: 60 }, (_, i): Row => {
      const stretch = 'same'.repeat(100 + (i % 3) * 200)
      return [`${stretch}${(i * 7) % 60}`, stretch.slice(0, 1 + ((i * 37) % 60)), stretch, i, 0, i]
    })
    const { runs } = scanOnce(create, latin1(rows.map(makeRowLine).join('\n')))
    assert.equal(readRows(runs), sortRows(rows))
  })

  order(`${name}: every byte value that UTF-8 allows sorts as itself`, () => {
    const characters = [...Array(0x800).keys()].filter((code) => code > 0 && code !== 9 && code !== 10)
    const rows = characters.map((code): Row => {
      const text = Buffer.from(String.fromCodePoint(code)).toString('latin1')
      return [`/${text}${text}`, `${text}.`, `z${text}`, 0, 0, 0]
    })
    const { runs } = scanOnce(create, latin1(rows.map(makeRowLine).join('\n')))
    assert.equal(readRows(runs), sortRows(rows))
  })

  order(`${name}: one key with thousands of runs in random order is sorted, equal firsts too`, () => {
    const next = createNumbers(SEED)
    for (const firstLimit of [1, 50, 2 ** 31]) {
      const rows = Array.from({ length: 5000 }, (): Row => {
        const first = next(firstLimit)
        return ['/a', '1', 'u', first, next(3), first + next(3)]
      })
      const { runs } = scanOnce(create, latin1(rows.map(makeRowLine).join('\n')))
      assert.equal(readRows(runs), sortRows(rows))
    }
  })
}

order('keys that do not fit into one word are sorted by several', () => {
  const next = createNumbers(SEED + 1)
  const rows = Array.from({ length: 3000 }, (): Row => {
    const first = next(1000)
    return [`/${next(300)}`, `10.0.${next(9)}.${next(256)}`, `agent ${next(90)}`, first, 0, first]
  })
  const text = latin1(rows.map(makeRowLine).join('\n'))
  for (const sortWordBits of [64, 34, 30, 20, 1]) {
    const scanner = createWasmScanner({ sortWordBits })
    scanPiece(scanner, text)
    assert.equal(readRows(copyRuns(scanner.finish())), sortRows(rows), `with ${sortWordBits} bits`)
  }
})

order('a shard of 120,000 addresses and as many requests keeps every one of them', () => {
  const next = createNumbers(SEED + 2)
  const count = 120_000
  const lines = Array.from({ length: count }, (_, i) =>
    makeLine({ ip: `${i}.${next(256)}`, request: `/${(i * 7919) % count}`, userAgent: `u${i % 7}` }),
  )
  const { runs, counts } = scanOnce(createWasmScanner, latin1(lines.join('\n')))
  assert.is(counts.kept, count)
  assert.is(runs['ips']?.length, count)
  assert.is(runs['requests']?.length, count)
  for (const table of ['ips', 'requests']) {
    const values = runs[table]?.map(String) ?? []
    assert.ok(
      values.every((text, i) => i === 0 || compareText(values[i - 1] ?? '', text) < 0),
      table,
    )
  }
  assert.ok(runs['request']?.every((rank, i, all) => i === 0 || Number(all[i - 1]) <= Number(rank)))
})

order.run()
