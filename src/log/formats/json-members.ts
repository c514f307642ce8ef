/** Fields of JSON lines, by the names of members; `a.b` is member b of the object a. */

import type { RecordField, RecordSlot } from '../record-layout.ts'

/** The fields for these members, with those of the objects that they stand in. */
export function jsonFields(members: readonly (readonly [path: string, slot: RecordSlot])[]): RecordField[] {
  const fields: RecordField[] = []
  const objects = new Map<string, number>()
  const objectAt = (path: string): number => {
    const known = objects.get(path)
    if (known !== undefined) return known
    const field = makeField(path, undefined)
    objects.set(path, fields.length)
    fields.push(field)
    return fields.length - 1
  }
  const makeField = (path: string, slot: RecordSlot | undefined): RecordField => {
    const dot = path.lastIndexOf('.')
    const text = path.slice(dot + 1)
    return dot < 0 ? { slot, text } : { slot, text, parent: objectAt(path.slice(0, dot)) }
  }
  for (const [path, slot] of members) fields.push(makeField(path, slot))
  return fields
}

/** The members of which each slot takes the first that the sample has, or the first at all. */
export function chooseMembers(
  members: readonly (readonly [path: string, slot: RecordSlot])[],
  isThere: (path: string) => boolean,
): (readonly [path: string, slot: RecordSlot])[] {
  const chosen = new Map<RecordSlot, string>()
  for (const [path, slot] of members) {
    const before = chosen.get(slot)
    if (before === undefined || (!isThere(before) && isThere(path))) chosen.set(slot, path)
  }
  return [...chosen].map(([slot, path]) => [path, slot] as const)
}
