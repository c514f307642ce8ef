/**
 * The leaf columns of any Parquet file's schema, nested or not.
 * Source: parquet.thrift, `SchemaElement`, `LogicalType`; parquet-format, `LogicalTypes.md`.
 */

import type { ByteReader } from '../base/byte-reader.ts'
import {
  convertedTypeName,
  logicalTypeName,
  type PhysicalTypeName,
  physicalTypeName,
  type RepetitionName,
  repetitionName,
} from './layout-names.ts'
import { readText } from './row-group-reader.ts'
import {
  BINARY,
  I8,
  I32,
  readFieldHeader,
  readListHeader,
  STRUCT,
  skipField,
  TRUE,
} from './thrift-compact.ts'

/** Far deeper than anybody nests; a damaged schema may claim more. */
const MAX_DEPTH = 100
/** Likewise for a column's name with those above it. */
const MAX_NAME_LENGTH = 4096

/** A leaf column of any file. */
export interface LayoutColumn {
  /** Its names from the top, joined with dots. */
  readonly name: string
  readonly physicalType: PhysicalTypeName
  /** What values mean, with parameters: `STRING`, `TIMESTAMP(MICROS,UTC)`, `INTEGER(64,unsigned)`. */
  readonly logicalType: string | undefined
  readonly repetition: RepetitionName
  /** Whether a row may have any number of values, here or above. */
  readonly isRepeated: boolean
}

/** A group of the schema whose children are being read. */
interface OpenGroup {
  readonly name: string
  readonly isRepeated: boolean
  childrenLeft: number
}

/** Reads the list of schema elements. Fails as DAMAGED unless they make one tree of known types. */
export function readLayoutSchema(r: ByteReader): LayoutColumn[] {
  const columns: LayoutColumn[] = []
  const open: OpenGroup[] = []
  const elementCount = readListHeader(r, STRUCT)
  for (let i = 0; i < elementCount; i++) {
    const element = readElement(r)
    const parent = open.at(-1)
    if (i > 0 && parent === undefined) r.fail('one tree of columns', `more behind it: ${element.name}`)
    const name = parent === undefined || open.length === 1 ? element.name : `${parent.name}.${element.name}`
    if (name.length > MAX_NAME_LENGTH) r.fail(`a name of at most ${MAX_NAME_LENGTH} characters`, 'a longer')
    const isRepeated = i > 0 && (parent?.isRepeated === true || element.repetitionCode === 2)
    if (parent !== undefined) parent.childrenLeft--
    if (i === 0 || element.childCount > 0) {
      open.push({ name, isRepeated, childrenLeft: element.childCount })
      if (open.length > MAX_DEPTH) r.fail(`at most ${MAX_DEPTH} nested groups`, 'more')
    } else {
      columns.push(leafOf(r, element, name, isRepeated))
    }
    while (open.at(-1)?.childrenLeft === 0) open.pop()
  }
  if (open.length > 0 || elementCount === 0) r.fail('a whole tree of columns', 'a part missing')
  return columns
}

interface Element {
  typeCode: number
  repetitionCode: number
  name: string
  childCount: number
  convertedCode: number
  logicalType: string | undefined
}

function leafOf(r: ByteReader, element: Element, name: string, isRepeated: boolean): LayoutColumn {
  const physicalType = physicalTypeName(element.typeCode)
  const repetition = repetitionName(element.repetitionCode)
  if (physicalType === undefined || repetition === undefined) {
    r.fail(
      'a column of a known type and repetition',
      `${element.typeCode} and ${element.repetitionCode} of ${name}`,
    )
  }
  const converted = element.convertedCode < 0 ? undefined : convertedTypeName(element.convertedCode)
  return { name, physicalType, logicalType: element.logicalType ?? converted, repetition, isRepeated }
}

function readElement(r: ByteReader): Element {
  const element: Element = {
    typeCode: -1,
    repetitionCode: -1,
    name: '',
    childCount: 0,
    convertedCode: -1,
    logicalType: undefined,
  }
  for (let field = readFieldHeader(r, 0); field !== 0; field = readFieldHeader(r, field)) {
    if (field === ((1 << 4) | I32)) element.typeCode = r.zigzag()
    else if (field === ((3 << 4) | I32)) element.repetitionCode = r.zigzag()
    else if (field === ((4 << 4) | BINARY)) element.name = readText(r)
    else if (field === ((5 << 4) | I32)) element.childCount = r.zigzag()
    else if (field === ((6 << 4) | I32)) element.convertedCode = r.zigzag()
    else if (field === ((10 << 4) | STRUCT)) element.logicalType = readLogicalType(r)
    else skipField(r, field)
  }
  if (element.childCount < 0) r.fail('a count of children', String(element.childCount))
  return element
}

function readLogicalType(r: ByteReader): string | undefined {
  let logicalType: string | undefined
  for (let field = readFieldHeader(r, 0); field !== 0; field = readFieldHeader(r, field)) {
    const name = logicalTypeName(field >>> 4)
    if ((field & 15) !== STRUCT) skipField(r, field)
    else if (name === 'TIME' || name === 'TIMESTAMP') logicalType = `${name}(${readTimeParameters(r)})`
    else if (name === 'INTEGER') logicalType = `INTEGER(${readIntegerParameters(r)})`
    else {
      skipField(r, field)
      logicalType = name
    }
  }
  return logicalType
}

/** `TimeType` and `TimestampType`: whether it is UTC, and the unit. */
function readTimeParameters(r: ByteReader): string {
  let isUtc = false
  let unit = 'UNIT'
  for (let field = readFieldHeader(r, 0); field !== 0; field = readFieldHeader(r, field)) {
    if (field === ((1 << 4) | TRUE)) isUtc = true
    else if (field === ((2 << 4) | STRUCT)) unit = readTimeUnit(r)
    else skipField(r, field)
  }
  return isUtc ? `${unit},UTC` : unit
}

function readTimeUnit(r: ByteReader): string {
  let unit = 'UNIT'
  for (let field = readFieldHeader(r, 0); field !== 0; field = readFieldHeader(r, field)) {
    unit = ['UNIT', 'MILLIS', 'MICROS', 'NANOS'][field >>> 4] ?? 'UNIT'
    skipField(r, field)
  }
  return unit
}

/** `IntType`: its bits, and whether it has a sign. */
function readIntegerParameters(r: ByteReader): string {
  let bitWidth = 0
  let isSigned = false
  for (let field = readFieldHeader(r, 0); field !== 0; field = readFieldHeader(r, field)) {
    if (field === ((1 << 4) | I8)) bitWidth = r.u8()
    else if (field === ((2 << 4) | TRUE)) isSigned = true
    else skipField(r, field)
  }
  return isSigned ? String(bitWidth) : `${bitWidth},unsigned`
}
