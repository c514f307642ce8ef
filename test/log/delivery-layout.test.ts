/** A header's names say where the fields are, in any order; a header that does not say it is no layout. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { DEFAULT_DELIVERY_LAYOUT, readDeliveryLayout } from '#src/log/delivery-layout.js'
import { latin1, utf8 } from './scan-text.ts'

const NAMES = ['date', 'timestamp', 'ip_address', 'user_agent', 'request', 'status', 'byte_range']
const layouts = suite('delivery layout')

layouts('without a header the order is the documented one', () => {
  const header = utf8(`# ${NAMES.join('\t')}`)
  assert.equal(readDeliveryLayout(undefined), { ok: true, layout: DEFAULT_DELIVERY_LAYOUT })
  assert.equal(readDeliveryLayout(header), { ok: true, layout: DEFAULT_DELIVERY_LAYOUT })
})

layouts('a carriage return and a missing space are no part of a name', () => {
  for (const header of [`#${NAMES.join('\t')}`, `#  ${NAMES.join('\t')}`, `# ${NAMES.join('\t')}\r`]) {
    assert.equal(readDeliveryLayout(utf8(header)), { ok: true, layout: DEFAULT_DELIVERY_LAYOUT }, header)
  }
})

layouts('names in another order and columns of others are followed', () => {
  const header = utf8(`# x\t${[...NAMES].reverse().join('\ty\t')}\t`)
  assert.equal(readDeliveryLayout(header), {
    ok: true,
    layout: {
      fieldCount: 15,
      byteRange: 1,
      status: 3,
      request: 5,
      userAgent: 7,
      ip: 9,
      time: 11,
      date: 13,
    },
  })
})

layouts('a header that does not name each field once is a problem with its reason', () => {
  const cases: readonly [Uint8Array, unknown][] = [
    [utf8(NAMES.join('\t')), { kind: 'not-a-header' }],
    [utf8(''), { kind: 'not-a-header' }],
    [utf8('#'), { kind: 'missing-names', names: NAMES }],
    [utf8(`# ${NAMES.join(' ')}`), { kind: 'missing-names', names: NAMES }],
    [utf8(`# ${NAMES.slice(1).join('\t')}`), { kind: 'missing-names', names: ['date'] }],
    [utf8(`# ${NAMES.join('\t')}\tdate`), { kind: 'duplicate-name', name: 'date' }],
    [utf8(`# Date\t${NAMES.slice(1).join('\t')}`), { kind: 'missing-names', names: ['date'] }],
    [utf8(`# __proto__\t${NAMES.slice(1).join('\t')}`), { kind: 'missing-names', names: ['date'] }],
    [latin1(`# \xff\t${NAMES.slice(2).join('\t')}`), { kind: 'missing-names', names: ['date', 'timestamp'] }],
  ]
  for (const [header, problem] of cases) assert.equal(readDeliveryLayout(header), { ok: false, problem })
})

layouts.run()
