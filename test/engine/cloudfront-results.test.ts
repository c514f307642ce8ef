/** What CloudFront's three results say of the end of a transfer, in each of its logs, with any of them left out. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { CLOUDFRONT_PART, json, run, write } from '../support/format-runs.ts'

const test = suite('results of CloudFront')

const LINE: Readonly<Record<string, string>> = {
  ...CLOUDFRONT_PART,
  'sc-range-start': '0',
  'sc-range-end': '99999',
}
/** As its documentation lists them, and one that it does not. */
const BAD_DETAILS = [
  'AbortedOrigin',
  'ClientCommError',
  'ClientGeoBlocked',
  'ClientHungUpRequest',
  'Error',
  'InvalidRequest',
  'InvalidRequestBlocked',
  'InvalidRequestCertificate',
  'InvalidRequestHeader',
  'InvalidRequestMethod',
  'LimitExceeded',
  'CapacityExceeded',
  'OriginCommError',
  'OriginReadError',
  'OriginZeroSizeObjectError',
  'SlowReaderOriginError',
  'Redirect',
  'Something',
]
const [RESULT, DETAIL, RESPONSE] = [
  'x-edge-result-type',
  'x-edge-detailed-result-type',
  'x-edge-response-result-type',
]

/** Rows of one line with these fields more, by variant of log. */
async function rowsOf(more: Readonly<Record<string, string>>): Promise<number[]> {
  const values = { ...LINE, ...more }
  const text = `${Object.values(values).join('\t')}\n`
  const { date: _, time: __, ...rest } = values
  const realTime = { timestamp: '1715947200.5', ...rest }
  const fields = Object.keys(realTime).join(',').replace('cs(User-Agent)', 'cs-user-agent')
  const reports = [
    await run([write(`#Version: 1.0\n#Fields: ${Object.keys(values).join(' ')}\n${text}`)], {
      format: 'cloudfront',
    }),
    await run([write(json(values))], { format: 'cloudfront' }),
    await run([write(`${Object.values(realTime).join('\t')}\n`)], { format: 'cloudfront-realtime', fields }),
  ]
  return reports.map(({ rows }) => rows)
}

const all = (rows: number): number[] => [rows, rows, rows]

test('a detail that is no good result is an aborted transfer, whatever the other results say', async () => {
  for (const detail of BAD_DETAILS) {
    const results = { [RESULT]: 'Hit', [RESPONSE]: 'Hit', [DETAIL]: detail }
    assert.equal(await rowsOf({ ...results, 'sc-bytes': '60000' }), all(60_000 - 2048), detail)
    // Even a count that would do for all of the range holds headers of unknown size.
    assert.equal(await rowsOf({ ...results, 'sc-bytes': '100400' }), all(100_400 - 2048), detail)
    assert.equal(await rowsOf(results), all(0), `${detail}, not counted`)
  }
})

test('any of the results tells of an aborted transfer by itself', async () => {
  for (const name of [RESULT, DETAIL, RESPONSE]) {
    assert.equal(await rowsOf({ [name]: 'Error' }), all(0), name)
    assert.equal(await rowsOf({ [name]: 'Error', 'sc-bytes': '60000' }), all(60_000 - 2048), name)
  }
  assert.equal(await rowsOf({ [RESULT]: '-', [DETAIL]: 'ClientCommError' }), all(0), 'empty on one line')
})

test('a good result or detail tells of a whole transfer, what was made of the request before does not', async () => {
  for (const word of ['Hit', 'Miss', 'RefreshHit', 'OriginShieldHit']) {
    for (const name of [RESULT, DETAIL]) {
      assert.equal(await rowsOf({ [name]: word, 'sc-bytes': '100400' }), all(100_000), `${name} ${word}`)
      assert.equal(await rowsOf({ [name]: word }), all(100_000), `${name} ${word}, not counted`)
    }
    assert.equal(await rowsOf({ [RESPONSE]: word, 'sc-bytes': '100400' }), all(100_400 - 2048), word)
  }
})

test.run()
