/** What is said of an asset of which a store knows nothing: a slip of the pen must not look like good news. */

import { quoteForShell } from './escape-text.ts'
import type { Ledger } from './library.ts'
import { suggestionNotes } from './render-answer.ts'
import { type Streams, writeNote } from './streams.ts'

/** Says on standard error that no request for the asset is there, and which assets resemble it. */
export async function noteUnknownAsset(
  store: Ledger,
  asset: string | undefined,
  streams: Streams,
): Promise<void> {
  const suggestions = asset === undefined ? undefined : await store.assetsLike(asset)
  if (suggestions === undefined) return
  writeNote(streams, `no request for this asset is in the store: ${quoteForShell(asset ?? '')}`)
  for (const note of suggestionNotes(suggestions)) writeNote(streams, note)
}
