/** Makes a format of a web server that logs by a template: given with `--log-format`, or one of the usual. */

import { type FormatReading, type LogFormat, type LogSample, problem } from './log-format.ts'
import { type RecordShape, readShape } from './record-reading.ts'
import { isMadeBy, type TemplateReading } from './template-layout.ts'

/** What is particular about the server. */
export interface ServerFormat {
  readonly name: string
  /** Its templates that are tried in this order when none is given. */
  readonly usual: readonly string[]
  readTemplate(text: string): TemplateReading
}

/** The first usual template that made a line of the sample. */
function findUsual({ usual, readTemplate }: ServerFormat, sample: LogSample): RecordShape | undefined {
  const shapes = usual.flatMap((text) => {
    const reading = readTemplate(text)
    return reading.ok ? [reading.shape] : []
  })
  return shapes.find((shape) => sample.lines.some((line) => isMadeBy(shape, line)))
}

/** The format. */
export function serverFormat(server: ServerFormat): LogFormat {
  return {
    name: server.name,
    decodesUserAgents: false,
    option: 'log-format',
    recognizes(sample, { logFormat }) {
      if (logFormat === undefined) return findUsual(server, sample) !== undefined
      const reading = server.readTemplate(logFormat)
      return reading.ok && sample.lines.some((line) => isMadeBy(reading.shape, line))
    },
    readLayout(sample, choices): FormatReading {
      if (choices.logFormat !== undefined) {
        const reading = server.readTemplate(choices.logFormat)
        return reading.ok
          ? readShape(reading.shape, choices, undefined)
          : problem(`--log-format: ${reading.problem}`)
      }
      const shape = findUsual(server, sample)
      if (shape === undefined && sample.lines.length > 0) {
        return problem(
          `expected lines of ${server.name}'s combined format, with or without the range fields; found others: ` +
            'give the format of the log with --log-format',
        )
      }
      const reading = server.readTemplate(server.usual[0] ?? '')
      if (shape !== undefined) return readShape(shape, choices, undefined)
      return reading.ok ? readShape(reading.shape, choices, undefined) : problem(reading.problem)
    },
  }
}
