/** Reports by name, with their settings: what the command line and the library share. */

import { Failure } from '../base/failure.ts'
import { type BotList, BUNDLED_BOTS, type DownloadRules, WINDOW_KINDS } from '../delivery/download-rules.ts'
import type { Report, ReportKind, ReportScope } from '../delivery/report-model.ts'
import type { DeliveryStore } from '../delivery/store.ts'

/** What only some reports heed. */
export interface ReportSettings {
  /** waste: `asset`, `user-agent` or `ip`; downloads: `asset` or `day`. */
  readonly by?: string | undefined
  /** downloads: `calendar`, `first-touch` or `last-touch`. */
  readonly window?: string | undefined
  /** downloads: bits a second of the audio. */
  readonly bitrate?: number | undefined
  /** downloads: bytes before the audio. */
  readonly headerBytes?: number | undefined
  /** downloads: user agents to leave out, instead of the bundled list. */
  readonly bots?: BotList | undefined
}

/** Makes a report. Fails with `USAGE` before the store is touched when settings are wrong or not this report's. */
export async function makeReport(
  store: DeliveryStore,
  kind: ReportKind,
  scope: ReportScope,
  settings: ReportSettings,
): Promise<Report> {
  const make = await chooseReport(kind, scope, settings)
  return make(store)
}

/** The same in two steps: settings are checked, and the modules loaded, before there is a store. */
export async function chooseReport(
  kind: ReportKind,
  scope: ReportScope,
  settings: ReportSettings,
): Promise<(store: DeliveryStore) => Report> {
  if (scope.givenLength !== undefined && scope.asset === undefined) {
    throw new Failure('USAGE', '--length is of one asset: expected --asset with it')
  }
  refuseSettings(kind, scope, settings)
  switch (kind) {
    case 'completion': {
      const { reportCompletion } = await import('../delivery/report-completion.ts')
      return (store) => reportCompletion(store, scope)
    }
    case 'retention': {
      const { reportRetention } = await import('../delivery/report-retention.ts')
      return (store) => reportRetention(store, scope)
    }
    case 'gaps':
    case 'never': {
      const { reportGaps, reportNever } = await import('../delivery/report-gaps.ts')
      return (store) => (kind === 'gaps' ? reportGaps(store, scope) : reportNever(store, scope))
    }
    case 'waste': {
      const { reportWaste, WASTE_GROUPS } = await import('../delivery/report-waste.ts')
      const by = oneOf(settings.by ?? 'asset', WASTE_GROUPS, '--by')
      return (store) => reportWaste(store, scope, by)
    }
    case 'downloads': {
      const { DOWNLOAD_GROUPS, reportDownloads } = await import('../delivery/report-downloads.ts')
      const by = oneOf(settings.by ?? 'asset', DOWNLOAD_GROUPS, '--by')
      const rules = readRules(settings)
      return (store) => reportDownloads(store, scope, rules, by)
    }
    case 'summary': {
      const { reportSummary } = await import('../delivery/report-summary.ts')
      return (store) => reportSummary(store, scope)
    }
  }
}

/** A setting that means nothing here would be taken for one that was heeded. */
function refuseSettings(kind: ReportKind, scope: ReportScope, settings: ReportSettings): void {
  const refuse = (value: unknown, name: string, owners: readonly ReportKind[]): void => {
    if (value !== undefined && !owners.includes(kind)) {
      throw new Failure('USAGE', `${name} goes with report ${owners.join(' and ')}, not with ${kind}`)
    }
  }
  refuse(settings.by, '--by', ['waste', 'downloads'])
  refuse(settings.window, '--window', ['downloads'])
  refuse(settings.bitrate, '--bitrate', ['downloads'])
  refuse(settings.headerBytes, '--header-bytes', ['downloads'])
  refuse(settings.bots, '--bots', ['downloads'])
  refuse(scope.givenLength, '--length', ['completion', 'retention', 'gaps', 'never', 'downloads'])
}

function readRules({ window, bitrate, headerBytes, bots }: ReportSettings): DownloadRules {
  if (headerBytes !== undefined && bitrate === undefined) {
    throw new Failure('USAGE', '--header-bytes goes with --bitrate, like --bitrate 128k --header-bytes 40000')
  }
  return {
    windowKind: oneOf(window ?? 'calendar', WINDOW_KINDS, '--window'),
    bitsPerSecond: bitrate,
    headerByteLength: headerBytes ?? 0,
    bots: bots ?? BUNDLED_BOTS,
  }
}

function oneOf<T extends string>(text: string, choices: readonly T[], option: string): T {
  const choice = choices.find((name) => name === text)
  if (choice !== undefined) return choice
  throw new Failure('USAGE', `${option} expects one of ${choices.join(', ')}; found '${text}'`)
}
