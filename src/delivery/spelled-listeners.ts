/** Passes over stores where some files have decoded user agents and others not; see user-agent-spellings.ts. */

import type { ListenerRuns, ListenerScan } from './scan-listeners.ts'
import type { DeliveryStore } from './store.ts'

/**
 * Listeners in the order of asset and address, each with whether its files have decoded user agents: the same
 * text may come once of either kind.
 */
export function* listenersBySpelling(
  store: Pick<DeliveryStore, 'hasSpellings' | 'listeners'>,
  scan: ListenerScan,
): Generator<readonly [ListenerRuns, boolean], void, void> {
  if (!store.hasSpellings) {
    for (const listener of store.listeners(scan)) yield [listener, false]
    return
  }
  const asLogged = store.listeners({ ...scan, decoded: false })
  const decoded = store.listeners({ ...scan, decoded: true })
  try {
    let [a, b] = [asLogged.next(), decoded.next()]
    while (a.done !== true || b.done !== true) {
      if (b.done === true || (a.done !== true && compareListeners(a.value, b.value) <= 0)) {
        if (a.done !== true) yield [a.value, false]
        a = asLogged.next()
      } else {
        yield [b.value, true]
        b = decoded.next()
      }
    }
  } finally {
    asLogged.return()
    decoded.return()
  }
}

function compareListeners(a: ListenerRuns, b: ListenerRuns): number {
  return compareTexts(a.asset, b.asset) || compareTexts(a.ip, b.ip)
}

/** As keys are sorted: by their bytes. */
export function compareTexts(a: string, b: string): number {
  return a === b ? 0 : Buffer.compare(Buffer.from(a), Buffer.from(b))
}
