/** The bundled sample is for trying out: it has no place among the logs of others. */

import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { Failure } from '../base/failure.ts'
import { isContent } from '../engine/input-identity.ts'
import { readSnapshot } from '../table/table.ts'
import { isStore } from './enclosing-store.ts'
import { bundledSamplePath } from './sample-questions.ts'

/** Fails as USAGE when the store holds anything but the sample. */
export async function refuseSample(store: string): Promise<void> {
  if (!isStore(store)) return
  const { transactions } = await readSnapshot(store)
  const sha256 = createHash('sha256').update(readFileSync(bundledSamplePath())).digest('hex')
  if ([...transactions.keys()].every((appId) => isContent(appId, sha256))) return
  throw new Failure(
    'USAGE',
    `no input is given, and ${store} holds logs beside which the bundled sample has no place: name the logs to add (- reads standard input)`,
  )
}
