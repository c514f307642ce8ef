/** Makes a format of a web server that logs by a template: given with `--log-format`, or one of the usual. */

import { type FormatReading, type LogFormat, type LogSample, problem } from './log-format.ts'
import { type RecordShape, readShape } from './record-reading.ts'
import { hasLiterals, isMadeBy, type TemplateReading } from './template-layout.ts'

/** What is particular about the server. */
export interface ServerFormat {
  readonly name: string
  /** See `LogFormat`. */
  readonly sentFields: string
  /** Its templates that are tried in this order when none is given; the last is one that other servers have, too. */
  readonly usual: readonly string[]
  readTemplate(text: string): TemplateReading
}

/** So many lines are not made by a template by accident. */
const CONVINCING_LINES = 3

/** Templates that were read: a run may have thousands of logs, and all of one server. */
class Templates {
  private readonly server: ServerFormat
  private readonly readings = new Map<string, TemplateReading>()

  constructor(server: ServerFormat) {
    this.server = server
  }

  read(text: string): TemplateReading {
    let reading = this.readings.get(text)
    if (reading === undefined) {
      reading = this.server.readTemplate(text)
      this.readings.set(text, reading)
    }
    return reading
  }

  /**
   * The first usual template that made several lines of the sample, or else the one that made most: some lines may be
   * damaged, and look as if they were made by another.
   */
  findUsual(sample: LogSample): RecordShape | undefined {
    let found: RecordShape | undefined
    let mostLines = 0
    for (const text of this.server.usual) {
      const reading = this.read(text)
      const lineCount = reading.ok ? countMade(reading.shape, sample, CONVINCING_LINES) : 0
      if (reading.ok && lineCount > mostLines) found = reading.shape
      mostLines = Math.max(mostLines, lineCount)
      if (mostLines === CONVINCING_LINES) break
    }
    return found
  }
}

/** How many lines of a sample are made by a template; no more are looked at than it takes to reach `enough`. */
function countMade(shape: RecordShape, { lines, text }: LogSample, enough: number): number {
  let count = 0
  // Most samples of other formats lack one of the literals altogether.
  if (!hasLiterals(shape, text)) return count
  for (const line of lines) {
    if (isMadeBy(shape, line)) count++
    if (count === enough) break
  }
  return count
}

/** The format. */
export function serverFormat(server: ServerFormat): LogFormat {
  const templates = new Templates(server)
  return {
    name: server.name,
    decodesUserAgents: false,
    option: 'log-format',
    sentFields: server.sentFields,
    recognizes(sample, { logFormat }) {
      if (logFormat === undefined) return templates.findUsual(sample) !== undefined
      // Lines of a format that is refused are known, so that it is said why.
      const { shape } = templates.read(logFormat)
      return shape !== undefined && countMade(shape, sample, 1) > 0
    },
    isReadAsOwn(sample, { logFormat }) {
      const shared = templates.read(server.usual.at(-1) ?? '')
      return logFormat !== undefined || templates.findUsual(sample) !== shared.shape
    },
    readLayout(sample, choices): FormatReading {
      if (choices.logFormat !== undefined) {
        const reading = templates.read(choices.logFormat)
        return reading.ok
          ? readShape(reading.shape, choices, undefined)
          : problem(`--log-format: ${reading.problem}`)
      }
      const shape = templates.findUsual(sample)
      if (shape === undefined && sample.lines.length > 0) {
        return problem(
          `expected lines of ${server.name}'s combined format, with or without the range fields; found others: ` +
            'give the format of the log with --log-format',
        )
      }
      const reading = templates.read(server.usual[0] ?? '')
      if (shape !== undefined) return readShape(shape, choices, undefined)
      return reading.ok ? readShape(reading.shape, choices, undefined) : problem(reading.problem)
    },
  }
}
