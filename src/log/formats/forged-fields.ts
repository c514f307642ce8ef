/**
 * Finds the variables of a template that let a client write the fields behind them. Servers escape quotes and line
 * ends inside of values, and nothing else that separates fields: what stands in quotes cannot reach beyond them.
 */

import type { RecordSlot } from '../record-layout.ts'

/** A variable with the literals around it; nothing behind it is the end of the line. */
export interface TemplateVariable {
  readonly name: string
  readonly slot: RecordSlot | undefined
  readonly before: string
  readonly after: string
}

/** Whether the server makes a variable's value in such a way that it never holds the literal behind it. */
export type TrustRule = (name: string, after: string) => boolean

/** What a client says of itself as it likes: less of it is no other's. */
const OWN_WORDS: ReadonlySet<RecordSlot | undefined> = new Set([undefined, 'userAgent', 'forwardedFor'])

const isProtected = (literal: string): boolean => literal === '' || literal.includes('"')

const isQuoted = ({ before, after }: TemplateVariable): boolean =>
  before.endsWith('"') && after.startsWith('"')

/** Whether what stands in the variable at `index`, which no quotes enclose, can pass for other fields. */
function reachesFields(variables: readonly TemplateVariable[], index: number): boolean {
  const variable = variables[index]
  if (variable === undefined || isProtected(variable.after)) return false
  // A part of it would pass for the whole.
  if (!OWN_WORDS.has(variable.slot)) return true
  for (const { slot, after } of variables.slice(index + 1)) {
    const isEnd = isProtected(after)
    // The last field takes in all that is left over: of a time that makes none.
    if (slot !== undefined && !(isEnd && slot === 'instant')) return true
    if (isEnd) return false
  }
  return false
}

/** The first variable with which a client can forge fields. */
export function findForgeable(
  variables: readonly TemplateVariable[],
  isTrusted: TrustRule,
): string | undefined {
  return variables.find(
    (variable, index) =>
      !isQuoted(variable) && !isTrusted(variable.name, variable.after) && reachesFields(variables, index),
  )?.name
}
