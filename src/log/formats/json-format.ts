/** Makes a format of JSON lines whose members have fixed names. */

import {
  type CompletionKind,
  PLAIN_COUNTS,
  PLAIN_SPELLING,
  type RecordCounts,
  type RecordSlot,
  type RecordSpelling,
} from '../record-layout.ts'
import { chooseMembers, jsonFields } from './json-members.ts'
import { firstJsonObject, type LogFormat } from './log-format.ts'
import { readShape } from './record-reading.ts'

/** What is particular about a format of JSON lines. */
export interface JsonFormat {
  readonly name: string
  /** Members; where several mean the same, the first that the log has counts. */
  readonly members: readonly (readonly [path: string, slot: RecordSlot])[]
  /** Members by which the format is known, all of them. */
  readonly known: readonly string[]
  /** See `LogFormat`. */
  readonly sentFields: string
  readonly spelling?: Partial<RecordSpelling>
  readonly completion?: CompletionKind
  readonly counts?: RecordCounts
}

/** Whether an object has the member that a path with dots names. */
export function hasMember(object: unknown, path: string): boolean {
  let value: unknown = object
  for (const name of path.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return false
    value = Reflect.get(value, name)
  }
  return true
}

/** The format. Members that mean something and are missing in a line are as if they were null. */
export function jsonFormat(format: JsonFormat): LogFormat {
  const { name, members, known, sentFields, spelling, completion = 'none', counts = PLAIN_COUNTS } = format
  return {
    name,
    decodesUserAgents: spelling?.percent === true,
    option: undefined,
    sentFields,
    recognizes(sample) {
      const object = firstJsonObject(sample)
      return object !== undefined && known.every((member) => hasMember(object, member))
    },
    readLayout(sample, choices) {
      const object = firstJsonObject(sample)
      return readShape(
        {
          structure: 'json',
          spelling: { ...PLAIN_SPELLING, ...spelling },
          fields: jsonFields(chooseMembers(members, (path) => hasMember(object, path))),
          completion,
          counts,
        },
        choices,
        undefined,
      )
    },
  }
}
