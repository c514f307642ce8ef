/** Ctrl-C and its relatives: the first asks a run to stop and clean up, the second ends it at once. */

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** From now on the first signal aborts `controller`, the second ends the program behind `atEnd`. Returns what undoes it. */
export function abortOnInterrupt(controller: AbortController, atEnd?: () => void): () => void {
  const interrupt = (): void => {
    if (controller.signal.aborted) {
      atEnd?.()
      process.exit(130)
    }
    controller.abort()
  }
  for (const signal of SIGNALS) process.on(signal, interrupt)
  return () => {
    for (const signal of SIGNALS) process.off(signal, interrupt)
  }
}
