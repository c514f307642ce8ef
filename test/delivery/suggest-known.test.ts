import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { parseIpSelector, parseUserAgentSelector } from '#src/delivery/listener-selector.js'
import { openStore } from '#src/delivery/store.js'
import { type Suggestions, suggestKnown, suggestListeners } from '#src/delivery/suggest-known.js'
import { makeScratch, writeDeliveryFile } from '../support/delivery-file.ts'
import type { MemoryRecord } from '../support/memory-source.ts'

const test = suite('suggestions')
const scratch = makeScratch()
test.after(() => scratch.remove())

const path = scratch.path('known.parquet')
const record = (asset: string, ip: string, userAgent: string): MemoryRecord => ({
  ...{ asset, ip, userAgent },
  ...{ first: 0, last: 99, epochSeconds: 1_596_200_000 },
})
test.before(() =>
  writeDeliveryFile(path, [
    record('/episodes/one.mp3', '192.0.2.1', 'AppleCoreMedia/1.0.0 (iPhone; U; CPU OS 17_4)'),
    record('/episodes/one.mp3', '192.0.2.1', 'VLC/3.0.20 LibVLC/3.0.20'),
    record('/episodes/one.mp3', '192.0.2.77', 'curl/8'),
    record('/episodes/two.mp3', '198.51.100.4', 'Overcast/3.0'),
    record('/other', '203.0.113.9', 'x'),
    record('/six.mp3', '2001:db8:0::1', 'VLC/3'),
    record('/six.mp3', '2001:db8::2', 'VLC/3'),
    record('/six.mp3', '2001:db8::1:1', 'VLC/3'),
    record('/six.mp3', '2001:db8::11', 'VLC/3'),
  ]),
)

function suggest(asset: string, ip: string, userAgent: string): Suggestions {
  const store = openStore([path])
  const key = { asset, ip, userAgent }
  const suggestions = suggestKnown(store, key, store.findEvidence(key, { start: 0, end: 10 }))
  store.close()
  return suggestions
}

test('an unknown asset brings the assets that look like it', () => {
  const { assets, ips, userAgents } = suggest('/episode/one.mp3', '192.0.2.1', 'curl/8')
  assert.equal(assets, ['/episodes/one.mp3', '/episodes/two.mp3'])
  assert.equal([ips, userAgents], [[], []])
  assert.equal(suggest('qqqq', '192.0.2.1', 'curl/8').assets, [])
})

test('a known address brings its own user agents for the asset, the likeliest first', () => {
  assert.equal(suggest('/episodes/one.mp3', '192.0.2.1', 'VLC/3.0').userAgents, [
    'VLC/3.0.20 LibVLC/3.0.20',
    'AppleCoreMedia/1.0.0 (iPhone; U; CPU OS 17_4)',
  ])
})

test('a known user agent brings the addresses that asked for the asset with it', () => {
  assert.equal(suggest('/episodes/one.mp3', '192.0.2.7', 'curl/8').ips, ['192.0.2.77'])
})

test('a listener of whom nothing is known brings what looks like either part', () => {
  const { ips, userAgents } = suggest('/episodes/one.mp3', '198.51.100.40', 'overcast/3.1')
  assert.equal([ips, userAgents], [['198.51.100.4'], ['Overcast/3.0']])
})

test('an address in another spelling comes first, with its own user agents where they are others', () => {
  assert.equal(suggest('/six.mp3', '2001:DB8::1', 'VLC/3'), {
    ...{ assets: [], ips: ['2001:db8:0::1'], userAgents: [] },
  })
  const other = suggest('/six.mp3', '2001:DB8::1', 'VLC/4')
  assert.equal([other.ips, other.userAgents], [['2001:db8:0::1'], ['VLC/3']])
  // It asked for another asset only: what merely looks like it comes behind.
  const { ips } = suggest('/other', '2001:DB8::1', 'nobody')
  assert.is(ips[0], '2001:db8:0::1')
  assert.ok(ips.length > 1)
})

test('blocks, patterns and several values bring what resembles one of them, and nothing that they select', () => {
  const store = openStore([path])
  const ask = (asset: string, ips: string[], userAgents: string[]): Suggestions =>
    suggestListeners(
      store,
      { asset, ips: ips.map(parseIpSelector), userAgents: userAgents.map(parseUserAgentSelector) },
      { assetKnown: store.observedLength(asset) !== undefined, listenerKnown: false },
    )
  const one = '/episodes/one.mp3'
  assert.equal(ask('/episode/one.mp3', ['192.0.2.0/24'], ['*']).assets[0], one)
  assert.equal(ask(one, ['192.0.2.0/28'], ['vlc/3*']).userAgents[0], 'VLC/3.0.20 LibVLC/3.0.20')
  assert.equal(ask(one, ['192.0.3.0/24', '192.0.2.7'], ['curl/*']).ips, ['192.0.2.77'])
  const { ips, userAgents } = ask(one, ['198.51.100.0/30'], ['Overcst*', 'zzz'])
  assert.equal(userAgents, ['Overcast/3.0'])
  assert.ok(!ips.some((ip) => /^198\.51\.100\.[0-3]$/.test(ip)) && ips.includes('198.51.100.4'))
  store.close()
})

test.run()
