/** Makes layouts from fields and checks that they can prove something and have what the user wants. */

import {
  type CompletionKind,
  PLAIN_COUNTS,
  type RecordChoices,
  type RecordField,
  type RecordLayout,
  type RecordSlot,
  type RecordSpelling,
} from '../record-layout.ts'
import { type FormatReading, problem } from './log-format.ts'

/** Everything about a layout but what the user wants. */
export interface RecordShape extends Partial<Pick<RecordLayout, 'separator' | 'prefix' | 'counts'>> {
  readonly structure: RecordLayout['structure']
  readonly spelling: RecordSpelling
  readonly fields: readonly RecordField[]
  readonly completion: CompletionKind
}

/** What each slot is called in messages. */
const NEEDED: readonly { readonly anyOf: readonly RecordSlot[]; readonly name: string }[] = [
  { anyOf: ['instant', 'date'], name: 'the time' },
  { anyOf: ['ip'], name: "the client's address" },
  { anyOf: ['userAgent'], name: 'the user agent' },
  { anyOf: ['requestLine', 'target', 'path'], name: 'the path' },
  { anyOf: ['status'], name: 'the status' },
  {
    anyOf: ['range', 'contentRange', 'rangeFirst', 'bodyBytes', 'sentBytes'],
    name: 'a byte range or a number of bytes',
  },
]

/** What the choices need beyond that. */
function wantedBy({ asset, client }: RecordChoices): typeof NEEDED {
  const wanted: (typeof NEEDED)[number][] = []
  if (asset === 'url' || asset === 'host+path') {
    wanted.push({ anyOf: ['host'], name: `the host, for --asset ${asset}` })
  }
  if (asset === 'url') wanted.push({ anyOf: ['scheme'], name: 'the scheme, for --asset url' })
  if (asset === 'url' || asset === 'path+query') {
    wanted.push({ anyOf: ['requestLine', 'target', 'query'], name: `the query, for --asset ${asset}` })
  }
  if (client === 'x-forwarded-for') {
    wanted.push({ anyOf: ['forwardedFor'], name: 'X-Forwarded-For, for --client x-forwarded-for' })
  }
  return wanted
}

/** The layout, or what its fields do not tell. */
export function readShape(
  shape: RecordShape,
  choices: RecordChoices,
  header: Uint8Array | undefined,
): FormatReading {
  const slots = new Set(shape.fields.map(({ slot }) => slot))
  const missing = [...NEEDED, ...wantedBy(choices)].filter(
    ({ anyOf }) => !anyOf.some((slot) => slots.has(slot)),
  )
  if (missing.length > 0) {
    return problem(`expected fields that tell ${missing.map(({ name }) => name).join(', ')}; found none`)
  }
  if (slots.has('date') && !slots.has('instant') && !slots.has('time')) {
    return problem('expected a time of day beside the date; found none')
  }
  if (slots.has('rangeFirst') !== slots.has('rangeLast')) {
    return problem('expected both ends of the range; found one')
  }
  const provesNothing =
    shape.counts?.body === 'offered' && !slots.has('completion') && !slots.has('sentBytes')
  if (provesNothing && !choices.trustRequested) {
    return problem(
      'expected fields that tell how much was sent, like %O, or whether all was, like %X; found only the size of ' +
        'the response, which says nothing of a transfer that was aborted: log them, or give --trust-requested',
    )
  }
  return {
    ok: true,
    header,
    layout: {
      structure: shape.structure,
      separator: shape.separator ?? '\t',
      prefix: shape.prefix ?? '',
      fields: shape.fields,
      completion: shape.completion,
      counts: shape.counts ?? PLAIN_COUNTS,
      ...shape.spelling,
      asset: choices.asset,
      client: choices.client,
      trustRequested: choices.trustRequested,
    },
  }
}

/**
 * Gives each name its slot. Where several names mean the same, the one that stands first in `meanings` counts.
 * A name that stands twice and means something is returned as `duplicate`.
 */
export function assignSlots(
  names: readonly string[],
  meanings: readonly (readonly [name: string, slot: RecordSlot])[],
): { readonly slots: readonly (RecordSlot | undefined)[]; readonly duplicate: string | undefined } {
  const slots: (RecordSlot | undefined)[] = names.map(() => undefined)
  const taken = new Set<RecordSlot>()
  let duplicate: string | undefined
  for (const [name, slot] of meanings) {
    const index = names.indexOf(name)
    if (index < 0) continue
    if (names.includes(name, index + 1)) duplicate ??= name
    if (taken.has(slot)) continue
    taken.add(slot)
    slots[index] = slot
  }
  return { slots, duplicate }
}
