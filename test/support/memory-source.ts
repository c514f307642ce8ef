/** A store in memory: what the questions' side needs of one, without any file. */

import type { DeliveredRun, DeliveryKey, EvidenceSource } from '#src/delivery/evidence.js'
import type { RandomRequest } from './random-runs.ts'

export interface MemoryRecord extends DeliveryKey, RandomRequest {}

export function memorySource(records: readonly MemoryRecord[]): EvidenceSource {
  return {
    findEvidence(key, range) {
      const isListener = (r: MemoryRecord): boolean => r.ip === key.ip && r.userAgent === key.userAgent
      const runs: DeliveredRun[] = records
        .filter((r) => isListener(r) && r.asset === key.asset && r.first < range.end && r.last >= range.start)
        .map((r) => ({ start: r.first, end: r.last + 1, epochSeconds: r.epochSeconds }))
        .sort((a, b) => a.start - b.start || a.epochSeconds - b.epochSeconds || a.end - b.end)
      return {
        runs,
        assetKnown: records.some((r) => r.asset === key.asset),
        listenerKnown: records.some(isListener),
      }
    },
    observedLength(asset) {
      const ends = records.filter((r) => r.asset === asset).map((r) => r.last + 1)
      return ends.length === 0 ? undefined : Math.max(...ends)
    },
    toldOf: () => ({ loggedLengths: [], askedLength: 0, answeredLength: 0 }),
    close: () => undefined,
  }
}
