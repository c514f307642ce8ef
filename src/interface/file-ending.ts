/** Endings of file names, which mean the same in any case. */

/** Whether a path ends in `.` and `ending`, in any case. */
export function hasEnding(path: string, ending: string): boolean {
  return path.toLowerCase().endsWith(`.${ending}`)
}
