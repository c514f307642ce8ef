/** What a stream can show: colour, width, redrawing. Decided once, here, so that the rest is plain text. */

import type { Writable } from 'node:stream'
import { styleText } from 'node:util'

/** The names that `util.styleText` gives them. */
export type Colour = 'green' | 'yellow' | 'red' | 'cyan' | 'dim' | 'bold'

/** How text is shown on one stream. */
export interface Style {
  /** Applies a colour, or leaves the text alone where none is wanted. */
  paint(colour: Colour, text: string): string
  /** Columns of the terminal; 80 where there is none. */
  readonly width: number
}

/** The parts of a terminal stream that matter here. */
export interface OutputStream extends Writable {
  readonly isTTY?: boolean
  readonly columns?: number
}

const DEFAULT_WIDTH = 80

/** Colour only on a terminal, and not with NO_COLOR (no-color.org: present and not empty) or TERM=dumb. */
export function styleFor(stream: OutputStream, environment: NodeJS.ProcessEnv): Style {
  const { NO_COLOR: noColor, TERM: term } = environment
  const hasColour = stream.isTTY === true && (noColor === undefined || noColor === '') && term !== 'dumb'
  const width =
    stream.isTTY === true && stream.columns !== undefined && stream.columns > 0
      ? stream.columns
      : DEFAULT_WIDTH
  // The check of styleText itself looks at standard output only, whichever stream this is.
  const paint: Style['paint'] = (colour, text) =>
    hasColour ? styleText(colour, text, { validateStream: false }) : text
  return { width, paint }
}
