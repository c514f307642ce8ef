/**
 * Page headers of any writer, for walking over pages without looking into them.
 * Source: parquet.thrift, `PageHeader` and the headers in it.
 */

import type { ByteReader } from '../base/byte-reader.ts'
import { encodingName, pageTypeName } from './layout-names.ts'
import { I32, readFieldHeader, STRUCT, skipField } from './thrift-compact.ts'

/** What a page's header says. */
export interface AnyPageHeader {
  readonly pageType: string
  readonly uncompressedByteLength: number
  /** Of the body as it stands in the file. */
  readonly compressedByteLength: number
  /** CRC-32 of the body as it stands in the file; undefined when the writer left it out. */
  readonly crc: number | undefined
  /** 0 for an index page. */
  readonly valueCount: number
  /** Of the values first, then of the levels. */
  readonly encodings: readonly string[]
}

/** For each kind of page: the field of its own header, and there the fields that are encodings. */
const PAGE_KINDS: ReadonlyMap<
  string,
  { readonly field: number; readonly encodingFields: readonly number[] }
> = new Map([
  ['DATA_PAGE', { field: 5, encodingFields: [2, 3, 4] }],
  ['INDEX_PAGE', { field: 6, encodingFields: [] }],
  ['DICTIONARY_PAGE', { field: 7, encodingFields: [2] }],
  ['DATA_PAGE_V2', { field: 8, encodingFields: [4] }],
])

/**
 * Reads one page header and leaves the reader at the page's body, which it does not require to be there.
 * Fails as DAMAGED unless it is a page of a known type with its sizes and count.
 */
export function readAnyPageHeader(r: ByteReader): AnyPageHeader {
  const sizes = [-1, -1, -1]
  let crc: number | undefined
  let own: { readonly valueCount: number; readonly encodings: readonly string[] } | undefined
  for (let field = readFieldHeader(r, 0); field !== 0; field = readFieldHeader(r, field)) {
    const id = field >>> 4
    if ((field & 15) === I32 && id <= 3) sizes[id - 1] = r.zigzag()
    else if (field === ((4 << 4) | I32)) crc = r.zigzag() >>> 0
    else if ((field & 15) === STRUCT) {
      const kind = PAGE_KINDS.get(pageTypeName(sizes[0] ?? -1))
      if (kind?.field === id) own = readOwnHeader(r, kind.encodingFields)
      else skipField(r, field)
    } else skipField(r, field)
  }
  const [typeCode = -1, uncompressedByteLength = -1, compressedByteLength = -1] = sizes
  const pageType = pageTypeName(typeCode)
  if (!PAGE_KINDS.has(pageType) || own === undefined) r.fail('a page of a known type', `type ${typeCode}`)
  if (uncompressedByteLength < 0 || compressedByteLength < 0) r.fail('sizes of a page', 'none, or below 0')
  const { valueCount, encodings } = own
  if (valueCount < 0 && pageType !== 'INDEX_PAGE') r.fail('a count of values', String(valueCount))
  return {
    pageType,
    uncompressedByteLength,
    compressedByteLength,
    crc,
    valueCount: Math.max(0, valueCount),
    encodings,
  }
}

function readOwnHeader(
  r: ByteReader,
  encodingFields: readonly number[],
): { readonly valueCount: number; readonly encodings: readonly string[] } {
  let valueCount = -1
  const encodings: string[] = []
  for (let field = readFieldHeader(r, 0); field !== 0; field = readFieldHeader(r, field)) {
    if (field === ((1 << 4) | I32)) valueCount = r.zigzag()
    else if ((field & 15) === I32 && encodingFields.includes(field >>> 4))
      encodings.push(encodingName(r.zigzag()))
    else skipField(r, field)
  }
  return { valueCount, encodings }
}
