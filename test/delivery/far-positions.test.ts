/** Positions close to 2^53, where sums of doubles begin to be rounded: every byte must still be right. */

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { openStore } from '#src/delivery/store.js'
import { processLogs } from '#src/engine/process-logs.js'
import { createSeededRandom } from '../../fixtures/seeded-random.ts'
import { makeTempFolder } from '../support/temp-folder.ts'

const far = suite('far positions')
const LAST = 2 ** 53 - 2
const folder = makeTempFolder()

type Range = readonly [first: number, last: number]

async function storedRuns(name: string, ranges: readonly Range[]): Promise<number[][]> {
  const input = join(folder, `${name}.log`)
  const out = join(folder, `${name}.parquet`)
  const lines = ranges.map(
    ([first, last], i) => `2020-07-31\t10:00:0${i % 10}\t1.2.3.4\tU\t/a\t206\t${first}-${last}\n`,
  )
  writeFileSync(input, lines.join(''))
  await processLogs({ inputs: [input], out, threads: 1, maxRejects: { kind: 'count', count: 0 } })
  const store = openStore([out])
  try {
    const farthest = Math.max(...ranges.map(([, last]) => last))
    assert.is(store.observedLength('/a'), farthest + 1, name)
    const { runs } = store.findEvidence(
      { asset: '/a', ip: '1.2.3.4', userAgent: 'U' },
      { start: 0, end: LAST + 1 },
    )
    return runs.map(({ start, end }) => [start, end - 1])
  } finally {
    store.close()
  }
}

function sorted(ranges: readonly Range[]): number[][] {
  return ranges.map(([first, last]) => [first, last]).sort((a, b) => (a[0] ?? 0) - (b[0] ?? 0))
}

far('short ranges among the last positions come back to the byte', async () => {
  const seed = 53
  const random = createSeededRandom(seed)
  for (let round = 0; round < 60; round++) {
    const spread = random.pick([70, 60_000, 500_000])
    const ranges = Array.from({ length: random.between(2, 12) }, (): Range => {
      const first = LAST - random.between(1, spread)
      return [first, Math.min(LAST, first + random.below(Math.min(spread, 4000)))]
    })
    const byStart = (a: number[], b: number[]): number =>
      (a[0] ?? 0) - (b[0] ?? 0) || (a[1] ?? 0) - (b[1] ?? 0)
    const found = await storedRuns(`short-${round}`, ranges)
    assert.equal(found.sort(byStart), sorted(ranges).sort(byStart), `seed ${seed}, round ${round}`)
  }
})

far('ranges of billions that end there are not taken for damage', async () => {
  const ranges: Range[] = [
    [9_007_060_742_045_703, 9_007_198_180_999_179],
    [9_007_129_461_522_433, 9_007_198_180_999_190],
    [9_007_198_180_999_165, 9_007_198_180_999_193],
    [LAST - 3_000_000_000, LAST],
  ]
  assert.equal(await storedRuns('billions', ranges), sorted(ranges))
})

far.run()
