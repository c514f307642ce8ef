import { openStore } from 'byteledger'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { makeScratch, writeDeliveryFile } from '../support/delivery-file.ts'
import { storeAt } from '../support/library-store.ts'

const test = suite('what is no question for the library')
const scratch = makeScratch()
test.after(() => scratch.remove())
const path = scratch.path('questions.parquet')
const key = { asset: '/a', ip: '10.0.0.1', userAgent: 'x' }
const GOOD = { ...key, range: [0, 9] }

test.before(() =>
  writeDeliveryFile(
    path,
    [1, 2, 3].map((epochSeconds) => ({
      ...key,
      userAgent: `x${epochSeconds}`,
      first: 0,
      last: 9,
      epochSeconds,
    })),
  ),
)

/** Calls a method as a program without types may. */
async function call(target: object, method: string, ...words: unknown[]): Promise<unknown> {
  const act: unknown = Reflect.get(target, method)
  assert.type(act, 'function')
  if (typeof act !== 'function') return undefined
  const result: unknown = await Reflect.apply(act, target, words)
  const isIterator = typeof result === 'object' && result !== null && 'next' in result
  return isIterator ? await call(result, 'next') : result
}

async function refusal(act: Promise<unknown>): Promise<string> {
  try {
    return `no error but ${JSON.stringify(await act)}`
  } catch (error) {
    if (!(error instanceof Error)) return String(error)
    return `${'code' in error ? String(error.code) : error.name}: ${error.message}`
  }
}

const withStore = storeAt(path)

test('whatever is no question is a USAGE that names the field as the library does', () =>
  withStore(async (store) => {
    const table: [string, unknown[], RegExp][] = [
      ['ask', [], /a question like .* found undefined/],
      ['ask', [null], /found null/],
      ['ask', ['/a'], /found '\/a'/],
      ['ask', [[GOOD]], /found a list/],
      ['ask', [{}], /asset is missing/],
      ['ask', [key], /range:\[10,500\] or whole:true/],
      ['ask', [{ ...GOOD, whole: true }], /either range.* or whole/],
      ['ask', [{ ...GOOD, range: [0, 0, 5] }], /range expects the first and the last/],
      ['ask', [{ ...GOOD, range: '0-9' }], /range expects/],
      ['ask', [{ ...GOOD, range: [0, '9'] }], /range expects/],
      ['ask', [{ ...GOOD, length: 5 }], /length goes with whole/],
      ['ask', [{ ...key, whole: 'yes' }], /whole expects true/],
      ['ask', [{ ...key, whole: true, length: '5' }], /length expects a number/],
      ['ask', [{ ...GOOD, ip: ['10.0.0.1'] }], /^USAGE: ip expects a text; found a list/],
      ['ask', [{ ...GOOD, userAgent: 5 }], /^USAGE: userAgent expects a text; found 5/],
      ['ask', [{ ...GOOD, asset: Symbol('x') }], /^USAGE: asset expects a text; found something else/],
      ['ask', [{ ...GOOD, untill: '2020-01-01' }], /unknown field "untill": expected only asset, .* until/],
      ['ask', [{ ...GOOD, since: 5 }], /^USAGE: since expects a text; found 5/],
      ['ask', [{ ...GOOD, since: 'today' }], /^USAGE: since expects/],
      ['ask', [{ ...GOOD, since: '2021-01-01', until: '2020-01-01' }], /^USAGE: since 2021/],
      ['askMany', [GOOD], /questions expects a list/],
      ['askListeners', [null], /found null/],
      ['askListeners', [{ ...GOOD, userAgent: 5 }], /userAgent expects a text/],
      ['askListeners', [{ ...GOOD, userAgent: ['x', 5] }], /userAgent expects texts; found 5/],
      ['askListeners', [{ ...GOOD, userAgent: [] }], /userAgent expects .* an empty list/],
      ['askListeners', [{ ...GOOD, ip: ['10.0.0.1', ''] }], /ip is empty/],
      ['askListeners', [{ ...GOOD, ip: '10.0.0.0/99' }], /^USAGE: ip expects an address/],
      ['askListeners', [{ ...GOOD, agent: 'x' }], /unknown field "agent"/],
      ['listeners', [{ aset: '/a' }], /unknown field "aset"/],
      ['listeners', [null], /found null/],
      ['ranges', [{ untill: '2020-01-01' }], /unknown field "untill"/],
      ['ranges', [{ asset: 5 }], /asset expects a text/],
      ['listeners', [{ asset: '' }], /^USAGE: asset is empty/],
      ['report', ['gaps', { asset: '' }], /^USAGE: asset is empty/],
      ['report', ['bogus'], /no report 'bogus': expected one of completion/],
      ['report', ['toString'], /no report 'toString'/],
      ['report', [5], /no report 5/],
      ['report', ['completion', { asset: 5 }], /asset expects a text/],
      ['report', ['completion', { untill: '2020' }], /unknown field "untill"/],
      ['report', ['completion', null], /found null/],
      ['report', ['completion', { length: 5 }], /^USAGE: length is of one asset: expected asset with it/],
      ['report', ['completion', { asset: '/a', length: 0.5 }], /length expects/],
      ['report', ['completion', { by: 'day' }], /^USAGE: by goes with report waste and downloads/],
      ['report', ['waste', { by: 'month' }], /^USAGE: by expects one of asset/],
      ['report', ['downloads', { bots: '/nope' }], /bots like/],
      ['report', ['downloads', { bots: { name: 'a', version: '1', parts: [''] } }], /bots\.parts/],
      ['report', ['downloads', { bitrate: 'zzz' }], /bitrate expects .* found 'zzz'/],
      ['report', ['downloads', { bitrate: 0 }], /bitrate expects/],
      ['report', ['downloads', { headerBytes: 5 }], /^USAGE: headerBytes goes with bitrate/],
      ['report', ['downloads', { window: 'week' }], /^USAGE: window expects one of/],
      ['report', ['summary', { threads: 0 }], /threads expects a whole number from 1/],
    ]
    for (const [method, words, expected] of table) {
      const found = await refusal(call(store, method, ...words))
      const what = `${method} ${words.map((word) => JSON.stringify(word)).join(', ')}`
      assert.match(found, /^USAGE: /, what)
      assert.match(found, expected, what)
      assert.not.match(found, /--/, what)
    }
    assert.match(await refusal(call({ openStore }, 'openStore', 5)), /^USAGE: path expects a text; found 5/)
    assert.match(await refusal(openStore('')), /^USAGE: path is empty/)
    const missing = await refusal(openStore(scratch.path('nowhere')))
    assert.match(missing, /^USAGE: no such file or directory: .*; path expects/)
  }))

test('a question that is none costs only its own place among many', () =>
  withStore(async (store) => {
    const good = { ...GOOD, userAgent: 'x1', until: undefined, whole: undefined }
    const results = await call(store, 'askMany', [{ asset: '/a' }, good, undefined, { ...good, untill: '1' }])
    assert.ok(Array.isArray(results))
    const codes = results.map((result: unknown) => {
      assert.ok(typeof result === 'object' && result !== null)
      return 'code' in result && 'message' in result ? result.code : Reflect.get(result, 'verdict')
    })
    assert.equal(codes, ['BAD_QUESTION', 'complete', 'BAD_QUESTION', 'BAD_QUESTION'])
  }))

test('a store that was closed answers nothing, also to whoever reads on', async () => {
  const store = await openStore(path)
  const scope = { asset: '/a' }
  const iterators = [
    store.listeners(scope),
    store.ranges(scope),
    store.askListeners({ asset: '/a', ip: '10.0.0.1', userAgent: ['x1', 'x2'], range: [0, 9] }),
    store.askListeners({ asset: '/a', ip: '10.0.0.0/8', userAgent: '*', range: [0, 9] }),
  ]
  for (const iterator of iterators) assert.is((await iterator.next()).done, false)
  const late = store.listeners()
  const { rows } = await store.report('completion')
  store.close()
  store.close()
  const calls = [
    ...[...iterators, late].map((iterator) => call(iterator, 'next')),
    call(rows[Symbol.asyncIterator](), 'next'),
    ...['listeners', 'ranges'].map((method) => call(store, method)),
    ...['ask', 'askListeners'].map((method) => call(store, method, GOOD)),
    call(store, 'askMany', [GOOD]),
    call(store, 'report', 'summary'),
  ]
  for (const found of await Promise.all(calls.map(refusal)))
    assert.match(found, /^USAGE: the store is closed/)
})

test('the rows of a report are read once: a second time is refused, not empty', async () => {
  const store = await openStore(path)
  try {
    const { rows } = await store.report('completion')
    let count = 0
    for await (const _ of rows) count++
    assert.ok(count > 0)
    const again = await refusal(Promise.resolve().then(() => rows[Symbol.asyncIterator]().next()))
    assert.match(
      again,
      /the rows of this report were read already: keep them, or ask for the report once more/,
    )
  } finally {
    store.close()
  }
})

test.run()
