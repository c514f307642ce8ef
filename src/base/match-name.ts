/** Patterns for one name: `*` for any characters, `?` for one. */

/**
 * One name against one part of a pattern. A leading dot or underscore must be written: `*` finds neither hidden
 * files nor what is not (yet) data by the convention of Hive and Spark.
 */
export function matchesName(pattern: string, name: string): boolean {
  if (/^[._]/.test(name) && pattern[0] !== name[0]) return false
  // The greedy two-pointer match: only the last star ever needs to give back, so it cannot explode.
  let [p, n] = [0, 0]
  let [starAt, starName] = [-1, 0]
  while (n < name.length) {
    if (pattern[p] === '*') {
      starAt = p++
      starName = n
    } else if (p < pattern.length && (pattern[p] === '?' || pattern[p] === name[n])) {
      p++
      n++
    } else if (starAt >= 0) {
      p = starAt + 1
      n = ++starName
    } else {
      return false
    }
  }
  while (pattern[p] === '*') p++
  return p === pattern.length
}
