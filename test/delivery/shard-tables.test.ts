import { createHash } from 'node:crypto'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { rankDays, rankEpochs, rankMd5 } from '#src/delivery/shard-tables.js'

const tables = suite('shard tables')

tables('epochs are ranked the same by a table of seconds and by sorting', () => {
  for (const spread of [1, 90_000, 2 ** 33]) {
    const epochs = Float64Array.from({ length: 500 }, (_, i) => 1_596_199_569 + ((i * 7919) % 101) * spread)
    const { values, ranks } = rankEpochs(epochs, epochs.length)
    const distinct = [...new Set(epochs)].sort((a, b) => a - b)
    assert.equal([...values.values.slice(0, values.count)], distinct, `spread ${spread}`)
    assert.ok([...ranks].every((rank, i) => distinct[rank] === epochs[i]))
  }
})

tables('days begin at midnight UTC, far from 1970 too', () => {
  const values = Float64Array.of(0, 86_399, 86_400, 253_402_300_799)
  const { values: days, ranks } = rankDays({ type: 'INT64', count: 4, values })
  assert.equal([...days.values.slice(0, days.count)], [0, 1, 2_932_896])
  assert.equal([...ranks], [0, 0, 1, 2])
})

tables('MD5s are in their own order, each at the rank of its user agent', () => {
  const agents = ['', '-', 'a', 'Mozilla/5.0 (é)', '__proto__']
  const encoded = agents.map((agent) => Buffer.from(agent))
  const offsets = new Uint32Array(agents.length + 1)
  encoded.forEach((bytes, i) => {
    offsets[i + 1] = (offsets[i] ?? 0) + bytes.length
  })
  const none = new Uint32Array(agents.length)
  const { values, ranks } = rankMd5({
    count: agents.length,
    bytes: Buffer.concat(encoded),
    offsets,
    hashLow: none,
    hashHigh: none,
  })
  const text = new TextDecoder().decode(values.bytes)
  const hashes = agents.map((_, rank) => text.slice(32 * rank, 32 * rank + 32))
  assert.equal(hashes, [...hashes].sort())
  agents.forEach((agent, i) => {
    assert.is(hashes[ranks[i] ?? 0], createHash('md5').update(agent).digest('hex'))
  })
})

tables.run()
