/** What many listeners hold together when there are none: nothing of what was asked. */

import { answerQuery } from './answer.ts'
import type { UnionAnswer } from './answer-listeners.ts'
import type { Selection } from './listener-selector.ts'
import type { DeliveryStore } from './store.ts'

/** The union of no listener: all is missing, `none` when the asset is known, otherwise `unknown`. */
export function emptyUnion(
  store: Pick<DeliveryStore, 'observedLength' | 'toldOf'>,
  { asset, target, window }: Selection,
): UnionAnswer {
  const observedLength = store.observedLength(asset)
  const evidence = { runs: [], assetKnown: observedLength !== undefined, listenerKnown: false }
  const nobody = { key: { asset, ip: '', userAgent: '' }, target, window }
  const facts = { evidence, observedLength, ...store.toldOf(asset) }
  const { range, verdict, requestedBytes, coveredBytes, covered, missing, ...rest } = answerQuery(
    nobody,
    facts,
  )
  const { requests, firstAt, lastAt, completeAt, length } = rest
  return {
    ...{ range, verdict, requestedBytes, coveredBytes, covered, missing },
    ...{ requests, firstAt, lastAt, completeAt, length },
  }
}
