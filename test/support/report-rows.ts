/** Reports made in this thread, as the tests look at them. */
import {
  type Finding,
  type Report,
  type ReportPass,
  type ReportSource,
  runPass,
} from '#src/delivery/report-model.js'

/** Makes a report; gives its rows as well. */
export function reportOf(
  pass: ReportPass,
  source: ReportSource,
): Report & { readonly rows: readonly Finding[] } {
  const report = runPass(pass, source)
  const { rows } = report
  if (!(Symbol.iterator in rows)) throw new Error('expected rows of this thread')
  return { ...report, rows: [...rows] }
}
