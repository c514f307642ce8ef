/** Tells whether a comment in mid-file is another header than the input's, after which lines mean something else. */

import type { DeliveryComment } from '../log/formats/delivery.ts'
import { readDeliveryComment } from '../log/formats/delivery.ts'
import { fieldsOfComment } from '../log/formats/w3c-fields.ts'
import { isRecordLayout, type LineLayout, type PieceLayout } from '../log/scanned-runs.ts'

/** Whether `comment` puts the columns elsewhere than `layout` does, which came from `header`. */
export function isOtherHeader(
  layout: PieceLayout,
  header: Uint8Array | undefined,
  comment: Uint8Array,
): boolean {
  if (isRecordLayout(layout)) return isOtherFields(header, comment)
  const reading = readDeliveryComment(comment)
  return reading !== 'comment' && isOtherLayout(reading, layout)
}

function isOtherFields(header: Uint8Array | undefined, comment: Uint8Array): boolean {
  const names = fieldsOfComment(comment)
  if (names === undefined) return false
  const own = header === undefined ? undefined : fieldsOfComment(header)
  return own === undefined || own.join(' ') !== names.join(' ')
}

function isOtherLayout(reading: Exclude<DeliveryComment, 'comment'>, layout: LineLayout): boolean {
  return !reading.ok || isRecordLayout(reading.layout) || !isSameLayout(reading.layout, layout)
}

/** Whether two layouts put every field in the same place. */
function isSameLayout(a: LineLayout, b: LineLayout): boolean {
  return (
    a.fieldCount === b.fieldCount &&
    a.date === b.date &&
    a.time === b.time &&
    a.ip === b.ip &&
    a.userAgent === b.userAgent &&
    a.request === b.request &&
    a.status === b.status &&
    a.byteRange === b.byteRange
  )
}
