import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Failure } from '#src/base/failure.js'
import { inOneGo, inTurns, type Steps } from '#src/base/steps.js'

const test = suite('steps')

/** Takes about 10 ms a step. */
function* work(stepCount: number, onEnd: () => void): Steps<number> {
  try {
    for (let i = 0; i < stepCount; i++) {
      const until = performance.now() + 10
      while (performance.now() < until);
      yield
    }
    return stepCount
  } finally {
    onEnd()
  }
}

test('work comes to its end, with or without turns', async () => {
  let endCount = 0
  const onEnd = (): void => {
    endCount++
  }
  assert.is(inOneGo(work(3, onEnd)), 3)
  let turnCount = 0
  const watch = setInterval(() => turnCount++, 1)
  assert.is(await inTurns(work(30, onEnd), new AbortController().signal), 30)
  clearInterval(watch)
  assert.ok(turnCount >= 2, `${turnCount} turns for others`)
  assert.is(endCount, 2)
})

test('who asks for an end is heard, and what was opened is closed', async () => {
  let hasEnded = false
  const controller = new AbortController()
  setTimeout(() => controller.abort(), 100)
  const startedAt = performance.now()
  try {
    await inTurns(
      work(1000, () => {
        hasEnded = true
      }),
      controller.signal,
    )
    assert.unreachable('it is interrupted')
  } catch (error) {
    assert.instance(error, Failure)
    assert.match(String(error), /interrupted/)
  }
  assert.ok(hasEnded && performance.now() - startedAt < 5000)
})

test.run()
