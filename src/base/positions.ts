/** The largest position of a byte that can be counted exactly: 2^53-2, as its successor must be a safe integer. */
export const MAX_POSITION: number = Number.MAX_SAFE_INTEGER - 1
