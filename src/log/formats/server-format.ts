/** Makes a format of a web server that logs by a template: given with `--log-format`, or one of the usual. */

import { type FormatReading, type LogFormat, type LogSample, problem } from './log-format.ts'
import { type RecordShape, readShape } from './record-reading.ts'
import { hasLiterals, isMadeBy, type TemplateReading } from './template-layout.ts'

/** What is particular about the server. */
export interface ServerFormat {
  readonly name: string
  /** Its templates that are tried in this order when none is given. */
  readonly usual: readonly string[]
  readTemplate(text: string): TemplateReading
}

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

  /** The first usual template that made a line of the sample. */
  findUsual(sample: LogSample): RecordShape | undefined {
    for (const text of this.server.usual) {
      const reading = this.read(text)
      if (reading.ok && makesSome(reading.shape, sample)) return reading.shape
    }
    return undefined
  }
}

/** Whether a template made some line of a sample. */
function makesSome(shape: RecordShape, { lines, text }: LogSample): boolean {
  // Most samples of other formats lack one of the literals altogether.
  return hasLiterals(shape, text) && lines.some((line) => isMadeBy(shape, line))
}

/** The format. */
export function serverFormat(server: ServerFormat): LogFormat {
  const templates = new Templates(server)
  return {
    name: server.name,
    decodesUserAgents: false,
    option: 'log-format',
    recognizes(sample, { logFormat }) {
      if (logFormat === undefined) return templates.findUsual(sample) !== undefined
      // Lines of a format that is refused are known, so that it is said why.
      const { shape } = templates.read(logFormat)
      return shape !== undefined && makesSome(shape, sample)
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
