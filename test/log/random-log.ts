/** Random logs for the scanner's tests: mostly good lines, and every kind of trouble among them. */
import fc from 'fast-check'
import { type LineFields, latin1, makeLine } from './scan-text.ts'

const KEY_CHARACTERS = ['a', 'b', '.', '/', '-', '\xc3\xa9', '\x01', '\r', '#', '\xf0\x9f\x8e\xa7']

/** Few distinct values, so that they meet; all lengths around those at which the vector code changes its way. */
const key = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.constantFrom('1', '10.0.0.1', '10.0.0.10', '10.0.0.2', '__proto__', 'constructor', '-'),
  },
  {
    weight: 2,
    arbitrary: fc.array(fc.constantFrom(...KEY_CHARACTERS), { maxLength: 3 }).map((parts) => parts.join('')),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(fc.integer({ min: 0, max: 70 }), fc.constantFrom('', 'x', 'y', '\xc3\xa9'))
      .map(([length, end]) => 'p'.repeat(length) + end),
  },
  { weight: 1, arbitrary: fc.constantFrom('\xff', 'p\xc3', '\xed\xa0\x80', `${'p'.repeat(40)}\xf5`) },
)
const date = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.constantFrom('2020-07-31', '2020-08-01', '2024-02-29', '1970-01-01', '9999-12-31'),
  },
  { weight: 1, arbitrary: fc.constantFrom('2023-02-29', '2020-7-31', '', '2020-07-31 ', '0000-00-00') },
)
const time = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom('00:00:00', '16:46:07', '23:59:59', '16:46:07.123') },
  { weight: 1, arbitrary: fc.constantFrom('24:00:00', '16:46:7', '', '16:46:07.', '16-46-07') },
)
const status = fc.oneof(
  { weight: 10, arbitrary: fc.constantFrom('200', '206') },
  { weight: 2, arbitrary: fc.constantFrom('404', '000', '2060', 'abc', '') },
)
const position = fc.oneof(
  fc.integer({ min: 0, max: 600 }),
  fc.maxSafeInteger().map((value) => Math.abs(value)),
)
const byteRange = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .tuple(position, fc.integer({ min: 0, max: 1000 }))
      .map(([first, length]) => `${first}-${first + length}`),
  },
  { weight: 1, arbitrary: fc.tuple(position, position).map(([first, last]) => `${first}-${last}`) },
  { weight: 1, arbitrary: fc.constantFrom('9-0', '-5', '5-', '-', '', '0x1-5', '1e3-2e3', '+1-5', ' 1-5') },
)
const fields: fc.Arbitrary<LineFields> = fc.record({
  date,
  time,
  ip: key,
  userAgent: key,
  request: key,
  status,
  byteRange,
})
const oddBytes = fc
  .array(fc.constantFrom('\t', '\n', '\r', '\0', '#', '0', '-', 'x', '\xff'), { maxLength: 24 })
  .map((parts) => parts.join(''))
const longLine = fc
  .tuple(
    fc.integer({ min: 65_530, max: 65_540 }),
    fc.constantFrom('x', '#', '\t', '\0'),
    fc.constantFrom('', '\t', '\r'),
  )
  .map(([length, body, end]) => body.repeat(length) + end)

const line = fc.oneof(
  { weight: 24, arbitrary: fields.map((values) => makeLine(values)) },
  { weight: 2, arbitrary: fields.map((values) => `${makeLine(values)}\r`) },
  { weight: 1, arbitrary: fields.map((values) => `${makeLine(values)}\textra`) },
  { weight: 1, arbitrary: fc.constantFrom('', '\r', '#', '# a\tb', '# date\ttimestamp') },
  { weight: 2, arbitrary: oddBytes },
)

/** Text of up to some hundred lines, with or without a last line feed, sometimes with lines around the limit. */
export const randomLog: fc.Arbitrary<Uint8Array> = fc
  .tuple(
    fc.array(fc.oneof({ weight: 200, arbitrary: line }, { weight: 1, arbitrary: longLine }), {
      maxLength: 300,
      size: 'max',
    }),
    fc.constantFrom('', '\n'),
    fc.constantFrom('', '', '\xef\xbb\xbf', '\xef\xbb'),
  )
  .map(([lines, end, start]) => latin1(start + lines.join('\n') + end))

/** Lengths of commits, from a byte up, sometimes larger than a log. */
export const randomCuts: fc.Arbitrary<number[]> = fc.oneof(
  fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 20 }),
  fc.array(fc.integer({ min: 1, max: 70_000 }), { minLength: 1, maxLength: 8 }),
)
