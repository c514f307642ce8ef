import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { mayHoldTimes } from '#src/delivery/partition-date.js'
import { parseTimeWindow } from '#src/delivery/question-time.js'

const dates = suite('partition dates')

dates('a file is passed over only when its day lies outside of the window', () => {
  const path = 'data/delivery/date=2024-05-17/part-1.parquet'
  const table: [string | undefined, string | undefined, boolean][] = [
    [undefined, undefined, true],
    ['2024-05-17', undefined, true],
    ['2024-05-17T23:59:59Z', undefined, true],
    ['2024-05-18', undefined, false],
    [undefined, '2024-05-17T00:00:00Z', true],
    [undefined, '2024-05-16', false],
    [undefined, '2024-05-16T23:59:59Z', false],
    ['2024-05-10', '2024-05-20', true],
    ['2024-05-18', '2024-05-20', false],
    ['2024-05-17T12:00:00Z', '2024-05-17T12:00:00Z', true],
  ]
  for (const [since, until, expected] of table) {
    assert.is(mayHoldTimes(path, parseTimeWindow(since, until)), expected, `${since} to ${until}`)
  }
})

dates('a path that names no day of the calendar is never passed over', () => {
  const window = parseTimeWindow('2030-01-01', '2030-01-02')
  for (const path of [
    'part.parquet',
    'date=2024-05-17.parquet',
    'date=2024-05-17/deeper/part.parquet',
    'date=2024-13-45/part.parquet',
    'update=2024-05-17/part.parquet',
  ]) {
    assert.is(mayHoldTimes(path, window), true, path)
  }
})

dates.run()
