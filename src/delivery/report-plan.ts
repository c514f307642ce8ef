/** Which report to make, as plain data that any thread can be told. */

import type { DownloadRules } from './download-rules.ts'
import { completionPass } from './report-completion.ts'
import { downloadsPass } from './report-downloads.ts'
import { gapsPass, neverPass } from './report-gaps.ts'
import type { DownloadGroup, ReportKind, ReportPass, ReportScope, WasteGroup } from './report-model.ts'
import { retentionPass } from './report-retention.ts'
import { summaryPass } from './report-summary.ts'
import { wastePass } from './report-waste.ts'

/** A report with its settings, which were checked. */
export type ReportPlan = { readonly scope: ReportScope } & (
  | { readonly kind: Exclude<ReportKind, 'waste' | 'downloads'> }
  | { readonly kind: 'waste'; readonly by: WasteGroup }
  | { readonly kind: 'downloads'; readonly by: DownloadGroup; readonly rules: DownloadRules }
)

/** The pass that makes it. */
export function passOf(plan: ReportPlan): ReportPass {
  const { scope } = plan
  switch (plan.kind) {
    case 'completion':
      return completionPass(scope)
    case 'retention':
      return retentionPass(scope)
    case 'gaps':
      return gapsPass(scope)
    case 'never':
      return neverPass(scope)
    case 'waste':
      return wastePass(scope, plan.by)
    case 'downloads':
      return downloadsPass(scope, plan.rules, plan.by)
    case 'summary':
      return summaryPass(scope)
  }
}
