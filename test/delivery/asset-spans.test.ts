import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { cutIntoSpans, isInSpan, meetsSpan } from '#src/delivery/asset-spans.js'
import { seededRandom } from '../support/seeded-random.ts'

const test = suite('spans of assets')

test('every asset lies in exactly one span, and a row group is met by the spans of its assets', () => {
  const random = seededRandom(51)
  let cutCount = 0
  for (let round = 0; round < 300; round++) {
    const assets = Array.from({ length: 1 + random(30) }, () =>
      Buffer.from(Array.from({ length: random(4) }, () => [0, 47, 97, 255][random(4)] ?? 0)),
    )
    const rowGroups = Array.from({ length: 1 + random(20) }, () => {
      const some = [assets[random(assets.length)], assets[random(assets.length)]].map(
        (asset) => asset ?? Buffer.alloc(0),
      )
      const [min = Buffer.alloc(0), max = min] = some.sort(Buffer.compare)
      return { min, max, weight: random(1000) }
    })
    const count = 1 + random(6)
    const spans = cutIntoSpans(rowGroups, count)
    assert.ok(spans.length >= 1 && spans.length <= count, `round ${round}: ${spans.length} of ${count}`)
    cutCount += spans.length - 1
    for (const asset of [...assets, Buffer.alloc(0), Buffer.from([255, 255, 255, 255])]) {
      assert.is(spans.filter((span) => isInSpan(span, asset)).length, 1)
    }
    for (const { min, max } of rowGroups) {
      for (const span of spans) {
        const hasAsset = assets.some(
          (asset) =>
            Buffer.compare(asset, min) >= 0 && Buffer.compare(asset, max) <= 0 && isInSpan(span, asset),
        )
        if (hasAsset) assert.ok(meetsSpan(span, min, max))
      }
    }
    const order = spans.flatMap(({ from }) => from ?? [])
    assert.equal(order, order.toSorted(Buffer.compare))
  }
  assert.ok(cutCount > 100, `${cutCount} cuts`)
})

test('spans of equal row groups weigh about the same; one asset is never cut', () => {
  const at = (name: string) => Buffer.from(name)
  const rowGroups = Array.from({ length: 100 }, (_, i) => {
    return {
      min: at(`/${String(i).padStart(3, '0')}`),
      max: at(`/${String(i + 1).padStart(3, '0')}`),
      weight: 1,
    }
  })
  const cuts = cutIntoSpans(rowGroups, 4).flatMap(({ from }) =>
    from === undefined ? [] : Number(Buffer.from(from).toString().slice(1)),
  )
  assert.is(cuts.length, 3)
  cuts.forEach((cut, i) => {
    assert.ok(Math.abs(cut - 25 * (i + 1)) <= 2, `cut ${i} at ${cut}`)
  })
  const same = Array.from({ length: 9 }, () => ({ min: at('/a'), max: at('/a'), weight: 5 }))
  assert.equal(cutIntoSpans(same, 4), [{ from: undefined, to: undefined }])
  assert.equal(cutIntoSpans([], 4), [{ from: undefined, to: undefined }])
})

test.run()
