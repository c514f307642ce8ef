/** Reports by name, with their settings: what the command line and the library share. */

import { Failure } from '../base/failure.ts'
import { BUNDLED_BOTS } from '../delivery/bundled-bots.ts'
import { type BotList, type DownloadRules, WINDOW_KINDS } from '../delivery/download-rules.ts'
import { DOWNLOAD_GROUPS, type ReportKind, type ReportScope, WASTE_GROUPS } from '../delivery/report-model.ts'
import type { ReportPlan } from '../delivery/report-plan.ts'

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

/** What to make of which settings. Fails with `USAGE` when they are wrong or not this report's. */
export function planReport(kind: ReportKind, scope: ReportScope, settings: ReportSettings): ReportPlan {
  if (scope.givenLength !== undefined && scope.asset === undefined) {
    throw new Failure('USAGE', '--length is of one asset: expected --asset with it')
  }
  refuseSettings(kind, scope, settings)
  switch (kind) {
    case 'waste':
      return { kind, scope, by: oneOf(settings.by ?? 'asset', WASTE_GROUPS, '--by') }
    case 'downloads':
      return {
        ...{ kind, scope, rules: readRules(settings) },
        by: oneOf(settings.by ?? 'asset', DOWNLOAD_GROUPS, '--by'),
      }
    default:
      return { kind, scope }
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
