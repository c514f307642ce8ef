/** A day is accepted exactly when the calendar has it, and its seconds are those of the platform's own calendar. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { latin1, makeLine, SCANNERS, scanOnce } from './scan-text.ts'

const pad = (value: number, length: number): string => String(value).padStart(length, '0')

/** Every month and day number, impossible ones too, of years around leap years and centuries. */
function listDays(): string[] {
  const years = [
    1969, 1970, 1971, 1972, 1999, 2000, 2001, 2020, 2023, 2024, 2099, 2100, 2101, 2400, 9996, 9999,
  ]
  return years.flatMap((year) =>
    Array.from(
      { length: 14 * 33 },
      (_, i) => `${pad(year, 4)}-${pad(Math.floor(i / 33), 2)}-${pad(i % 33, 2)}`,
    ),
  )
}

/** Seconds of a day that exists and is not before 1970, by the platform's calendar. */
function secondsOf(day: string): number | undefined {
  const milliseconds = Date.parse(`${day}T00:00:00Z`)
  if (Number.isNaN(milliseconds) || milliseconds < 0) return undefined
  return new Date(milliseconds).toISOString().startsWith(day) ? milliseconds / 1000 : undefined
}

const calendar = suite('calendar')

for (const { name, create } of SCANNERS) {
  calendar(`${name}: days exist as in the platform's calendar`, () => {
    const days = listDays()
    const text = days.map((date) => makeLine({ date, time: '00:00:00', byteRange: '0-0' })).join('\n')
    const { counts, runs } = scanOnce(create, latin1(text))
    const expected = days.map(secondsOf).filter((seconds) => seconds !== undefined)
    assert.equal(runs['epochSeconds'], expected)
    assert.is(counts.rejected.BAD_DATE, days.length - expected.length)
    assert.ok(expected.length > 15 * 365 && counts.rejected.BAD_DATE > 1000)
  })

  calendar(`${name}: every first of a month from 1970 to 9999 has its seconds`, () => {
    const days = Array.from(
      { length: 8030 * 12 },
      (_, i) => `${pad(1970 + Math.floor(i / 12), 4)}-${pad((i % 12) + 1, 2)}-01`,
    )
    const { runs } = scanOnce(
      create,
      latin1(days.map((date) => makeLine({ date, time: '23:59:59' })).join('\n')),
    )
    const wrong = days.filter((day, i) => runs['epochSeconds']?.[i] !== Date.parse(`${day}T23:59:59Z`) / 1000)
    assert.equal(wrong, [])
  })

  calendar(`${name}: every second of a day is read`, () => {
    const times = Array.from({ length: 86_400 }, (_, i) =>
      [Math.floor(i / 3600), Math.floor(i / 60) % 60, i % 60].map((part) => pad(part, 2)).join(':'),
    )
    const { runs } = scanOnce(
      create,
      latin1(times.map((time) => makeLine({ date: '1970-01-01', time })).join('\n')),
    )
    assert.ok(times.every((_, i) => runs['epochSeconds']?.[i] === i))
    assert.is(runs['epochSeconds']?.length, 86_400)
  })
}

calendar.run()
