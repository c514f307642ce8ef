/** Some assets of a store, for whoever passes over those alone, and how far a pass is. */

import type { AssetSpan } from './asset-spans.ts'
import type { ReportSource } from './report-model.ts'
import type { ListenerRuns, ListenerScan } from './scan-listeners.ts'

/** So many requests are passed over before it is told. */
const TOLD_REQUESTS = 16_384

/** The assets of a span, or all; `onRequests` hears how many more requests were passed over. */
export function partOfStore(
  store: ReportSource,
  span: AssetSpan | undefined,
  onRequests: (count: number) => void,
): ReportSource {
  return {
    toldLengths: (asset) => store.toldLengths(asset),
    observedLength: (asset) => store.observedLength(asset),
    *listeners(scan: ListenerScan = {}): Generator<ListenerRuns, void, void> {
      let count = 0
      for (const listener of store.listeners({ ...scan, span })) {
        count += listener.runs.count
        if (count >= TOLD_REQUESTS) {
          onRequests(count)
          count = 0
        }
        yield listener
      }
      onRequests(count)
    },
  }
}
