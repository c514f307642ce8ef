/**
 * Makes text from logs and files safe to show. Such text is hostile until proven otherwise: a terminal obeys
 * escape sequences in it, and bidirectional controls make it read as something else.
 */

/**
 * C0 (line breaks and tabs too), DEL and C1; surrogates without a partner; format characters, the bidirectional
 * controls of UAX #9 among them, and whatever else is not to be seen: two texts must not look the same; the line and
 * the paragraph separator, which some readers take for line breaks.
 */
const UNSAFE = /[\p{Cc}\p{Cs}\p{Cf}\p{Default_Ignorable_Code_Point}\p{Zl}\p{Zp}]/gu

/** Backslashes that would read as those of an escape, or as part of one. */
const AMBIGUOUS = /\\+(?=u[0-9a-f]{4}|[\p{Cc}\p{Cs}\p{Cf}\p{Default_Ignorable_Code_Point}\p{Zl}\p{Zp}])/giu

/**
 * The text for a human reader, every unsafe character as `\uXXXX`. No two texts look the same: a backslash that
 * stands before such letters in the text itself is doubled.
 */
export function escapeText(text: string): string {
  return escapeControls(text.replace(AMBIGUOUS, (backslashes) => backslashes + backslashes))
}

/** The same of a message, in which texts may be escaped already. */
export function escapeControls(text: string): string {
  return text.replace(UNSAFE, escapeCharacter)
}

/** JSON on one line that is safe on a terminal too, and means the same to every JSON parser. */
export function toSafeJson(value: unknown): string {
  // Unsafe characters occur inside strings only, where JSON may write any of them as an escape.
  return JSON.stringify(value).replace(UNSAFE, escapeCharacter)
}

/** One escape a code unit, as in JSON. */
function escapeCharacter(character: string): string {
  return Array.from({ length: character.length }, (_, i) => {
    return `\\u${character.charCodeAt(i).toString(16).padStart(4, '0')}`
  }).join('')
}

/** One escape a code point: a shell makes no character of two halves. */
function escapeForShell(character: string): string {
  const codePoint = character.codePointAt(0) ?? 0
  return codePoint > 0xffff ? `\\U${codePoint.toString(16).padStart(8, '0')}` : escapeCharacter(character)
}

/**
 * One argument as a POSIX shell reads it back: unchanged when harmless, else in single quotes, or `$'…'` where a
 * character needs an escape (bash, zsh and ksh know it).
 */
export function quoteForShell(argument: string): string {
  if (/^[\w@%+=:,./-]+$/.test(argument)) return argument
  const escaped = escapeControls(argument)
  if (escaped === argument) return `'${argument.replaceAll("'", "'\\''")}'`
  const inner = argument.replaceAll('\\', '\\\\').replaceAll("'", "\\'")
  return `$'${inner.replace(UNSAFE, escapeForShell)}'`
}
