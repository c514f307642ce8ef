/**
 * Paths of data files: relative to the table, and never outside of it. In the log they are URI-encoded.
 * Source: Delta protocol, "Add File and Remove File": `path` is a relative path, encoded as in RFC 2396.
 */

const LONGEST_PATH = 4096
const DAYS_OF_MONTHS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

/** The path for the log: everything but letters, digits, `-_.!~*'()`, `=` and the slashes is percent-encoded. */
export function encodeDataPath(path: string): string {
  return path
    .split('/')
    .map((segment) => encodeURIComponent(segment).replaceAll('%3D', '='))
    .join('/')
}

/** The path that the log means, or what is wrong with it. */
export function decodeDataPath(encoded: string): { readonly path: string } | { readonly problem: string } {
  // A scheme is told by the encoded text: an encoded colon is part of a name.
  if (/^[A-Za-z][A-Za-z0-9+.-]*:/.test(encoded)) return { problem: 'a URI with a scheme' }
  const path = encoded.includes('%') ? decodePercent(encoded) : encoded
  if (path === undefined) return { problem: 'a path with a broken percent-encoding' }
  const problem = problemOfPath(path)
  return problem === undefined ? { path } : { problem }
}

/** What is wrong with a decoded path, or undefined for one that stays inside the table. */
export function problemOfPath(path: string): string | undefined {
  if (path.length === 0) return 'an empty path'
  if (path.length > LONGEST_PATH) return `a path of ${path.length} characters`
  if (path.startsWith('/')) return 'an absolute path'
  if (hasForbiddenCharacter(path)) return 'a path with a backslash or a control character'
  const isFlat = !path.includes('//') && !path.includes('./') && !path.endsWith('/')
  // Names may end in a dot: only whole segments `.` and `..` lead elsewhere.
  if (!isFlat || path.endsWith('.')) {
    for (const segment of path.split('/')) {
      if (segment === '' || segment === '.' || segment === '..') return `a path with a segment '${segment}'`
    }
  }
  if (path.startsWith('_') || path.startsWith('.')) return 'a path whose first name is hidden'
  return undefined
}

/** The date that the first directory names, or undefined when the path is not Hive-style. */
export function dateOfPath(path: string): string | undefined {
  return path.startsWith('date=') && path[15] === '/' ? path.slice(5, 15) : undefined
}

/** Whether a text is a day of the calendar, `YYYY-MM-DD`. */
export function isDate(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return false
  const [year, month, day] = [Number(text.slice(0, 4)), Number(text.slice(5, 7)), Number(text.slice(8))]
  const isLeapYear = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)
  const dayCount = month === 2 && isLeapYear ? 29 : (DAYS_OF_MONTHS[month - 1] ?? 0)
  return day >= 1 && day <= dayCount
}

function decodePercent(encoded: string): string | undefined {
  try {
    return decodeURIComponent(encoded)
  } catch (_cause) {
    return undefined
  }
}

function hasForbiddenCharacter(path: string): boolean {
  for (let at = 0; at < path.length; at++) {
    const code = path.charCodeAt(at)
    if (code < 32 || code === 127 || code === 92) return true
  }
  return false
}
