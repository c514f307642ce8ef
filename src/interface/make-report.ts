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

/** What settings are called where they come from; messages use these names. */
export type SettingLabels = Readonly<Record<keyof ReportSettings | 'asset' | 'length', string>>

/** The names on the command line. */
const OPTION_LABELS: SettingLabels = {
  ...{ by: '--by', window: '--window', bitrate: '--bitrate', headerBytes: '--header-bytes' },
  ...{ bots: '--bots', asset: '--asset', length: '--length' },
}

/** What to make of which settings. Fails with `USAGE` when they are wrong or not this report's. */
export function planReport(
  kind: ReportKind,
  scope: ReportScope,
  settings: ReportSettings,
  labels: SettingLabels = OPTION_LABELS,
): ReportPlan {
  if (scope.givenLength !== undefined && scope.asset === undefined) {
    throw new Failure('USAGE', `${labels.length} is of one asset: expected ${labels.asset} with it`)
  }
  refuseSettings(kind, scope, settings, labels)
  switch (kind) {
    case 'waste':
      return { kind, scope, by: oneOf(settings.by ?? 'asset', WASTE_GROUPS, labels.by) }
    case 'downloads':
      return {
        ...{ kind, scope, rules: readRules(settings, labels) },
        by: oneOf(settings.by ?? 'asset', DOWNLOAD_GROUPS, labels.by),
      }
    default:
      return { kind, scope }
  }
}

/** A setting that means nothing here would be taken for one that was heeded. */
function refuseSettings(
  kind: ReportKind,
  scope: ReportScope,
  settings: ReportSettings,
  labels: SettingLabels,
): void {
  const refuse = (value: unknown, name: string, owners: readonly ReportKind[]): void => {
    if (value !== undefined && !owners.includes(kind)) {
      throw new Failure('USAGE', `${name} goes with report ${owners.join(' and ')}, not with ${kind}`)
    }
  }
  refuse(settings.by, labels.by, ['waste', 'downloads'])
  refuse(settings.window, labels.window, ['downloads'])
  refuse(settings.bitrate, labels.bitrate, ['downloads'])
  refuse(settings.headerBytes, labels.headerBytes, ['downloads'])
  refuse(settings.bots, labels.bots, ['downloads'])
  refuse(scope.givenLength, labels.length, ['completion', 'retention', 'gaps', 'never', 'downloads'])
}

function readRules(
  { window, bitrate, headerBytes, bots }: ReportSettings,
  labels: SettingLabels,
): DownloadRules {
  if (headerBytes !== undefined && bitrate === undefined) {
    throw new Failure('USAGE', `${labels.headerBytes} goes with ${labels.bitrate}: expected both or none`)
  }
  return {
    windowKind: oneOf(window ?? 'calendar', WINDOW_KINDS, labels.window),
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
