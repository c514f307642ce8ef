/** Ctrl-C and its relatives: the first asks a run to stop and clean up, the second ends it at once. */

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** From now on the first signal aborts `controller`. Returns what undoes it. */
export function abortOnInterrupt(controller: AbortController): () => void {
  const interrupt = (): void => {
    if (controller.signal.aborted) process.exit(130)
    controller.abort()
  }
  for (const signal of SIGNALS) process.on(signal, interrupt)
  return () => {
    for (const signal of SIGNALS) process.off(signal, interrupt)
  }
}
