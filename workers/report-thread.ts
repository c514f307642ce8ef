/** A Piscina thread: finds what a report is made from about the span of assets it is given. */

import { runReportTask } from '#src/engine/report-task.js'

export default runReportTask
