/** Chooses the format of an input by its header and first lines, and says so. */

import { Failure } from '../base/failure.ts'
import type { FormatChoices, LogFormat, LogSample } from '../log/formats/log-format.ts'
import { LOG_FORMATS, recognizeFormat } from '../log/formats/registry.ts'
import type { PieceLayout } from '../log/scanned-runs.ts'

const LINE_FEED = 0x0a
/** As three bytes. */
const BYTE_ORDER_MARK = '\xef\xbb\xbf'
/** So many lines are looked at: a log whose first ones are all broken is not recognised. */
const SAMPLE_LINES = 64

/** What the user says about the format of the inputs. */
export interface FormatRequest extends FormatChoices {
  /** The name of a format, or undefined to look at each input. */
  readonly format: string | undefined
}

/** Nothing said: each input is looked at, paths are assets, addresses are clients. */
export const AUTOMATIC: FormatRequest = {
  format: undefined,
  fields: undefined,
  logFormat: undefined,
  asset: 'path',
  client: 'c-ip',
  trustRequested: false,
}

/** What an input was found to be. */
export interface FormatDecision {
  readonly path: string
  readonly format: string
  /** Nothing in the first lines told: it is read as a delivery log. */
  readonly isGuess: boolean
  /** It was named, not found out. */
  readonly isGiven: boolean
  /** Fields by which the format says how much was sent; undefined when it has none. */
  readonly sentFields: string | undefined
}

/** How the lines of an input are laid out. */
export interface InputLines {
  readonly layout: PieceLayout
  /** The header line without its line end, if there is one. */
  readonly header: Uint8Array | undefined
  readonly decision: FormatDecision
  readonly decodesUserAgents: boolean
}

/** Comments and first lines of the beginning of an input. */
function takeSample(head: Uint8Array): LogSample {
  const comments: Uint8Array[] = []
  const lines: string[] = []
  // Byte i is character i.
  const text = Buffer.from(head.buffer, head.byteOffset, head.length).toString('latin1')
  let at = text.startsWith(BYTE_ORDER_MARK) ? BYTE_ORDER_MARK.length : 0
  while (at < text.length && lines.length < SAMPLE_LINES) {
    const lineFeed = text.indexOf('\n', at)
    // A line that the beginning cuts off tells nothing, unless it is the only one.
    if (lineFeed < 0 && (comments.length > 0 || lines.length > 0)) break
    const lineEnd = lineFeed < 0 ? text.length : lineFeed
    const end = lineEnd > at && text[lineEnd - 1] === '\r' ? lineEnd - 1 : lineEnd
    if (text[at] === '#') {
      if (lines.length === 0) comments.push(head.slice(at, end))
    } else if (end > at) {
      lines.push(text.slice(at, end))
    }
    at = lineEnd + 1
  }
  return { comments, lines, text }
}

function findFormat(path: string, sample: LogSample, request: FormatRequest): [LogFormat, FormatDecision] {
  if (request.format !== undefined) {
    const format = LOG_FORMATS.find(({ name }) => name === request.format)
    if (format === undefined) {
      const names = LOG_FORMATS.map(({ name }) => name).join(', ')
      throw new Failure('USAGE', `expected a format of ${names}; found ${request.format}`)
    }
    return [
      format,
      { path, format: format.name, isGuess: false, isGiven: true, sentFields: format.sentFields },
    ]
  }
  const choice = recognizeFormat(sample, request)
  if (choice.kind === 'ambiguous') {
    const names = choice.candidates.map(({ name }) => name)
    throw new Failure(
      'USAGE',
      `${path}: expected lines of one format, found such as may be ${names.join(' or ')}; say which, like --format ${names[0]}`,
    )
  }
  const { format, isGuess } = choice
  const given = request.fields === undefined ? '--log-format' : '--fields'
  if (isGuess && (request.fields ?? request.logFormat) !== undefined) {
    throw new Failure(
      'USAGE',
      `${path}: expected first lines as ${given} describes them, found others: check their number and order and ` +
        'what stands between them, and name the format with --format to hear more',
    )
  }
  return [format, { path, format: format.name, isGuess, isGiven: false, sentFields: format.sentFields }]
}

/** What was read last of a delivery log that begins with its header: the logs of a run come by the thousand. */
let last: { readonly request: FormatRequest; readonly lines: InputLines } | undefined

/** Whether the input begins with the same header as the one before. */
function beginsLikeLast(head: Uint8Array, request: FormatRequest): boolean {
  if (last === undefined || last.request !== request) return false
  const { header } = last.lines
  if (header === undefined || head[header.length] !== LINE_FEED) return false
  return Buffer.compare(head.subarray(0, header.length), header) === 0
}

/** The layout of an input that begins with `head`. Fails with USAGE when it has none that is of use. */
export function readInputLines(path: string, head: Uint8Array, request: FormatRequest): InputLines {
  if (last !== undefined && beginsLikeLast(head, request)) {
    return { ...last.lines, decision: { ...last.lines.decision, path } }
  }
  const lines = lookAt(path, head, request)
  last = lines.decision.format === 'delivery' ? { request, lines } : undefined
  return lines
}

function lookAt(path: string, head: Uint8Array, request: FormatRequest): InputLines {
  const sample = takeSample(head)
  const [format, decision] = findFormat(path, sample, request)
  const reading = format.readLayout(sample, request)
  if (!reading.ok) {
    const what = format.name === 'delivery' ? '' : ` (${format.name})`
    throw new Failure('USAGE', `${path}${what}: ${reading.problem}`)
  }
  const { layout, header } = reading
  return { layout, header, decision, decodesUserAgents: format.decodesUserAgents }
}
