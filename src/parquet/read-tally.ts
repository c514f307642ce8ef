/** Counts what was read, and what could have been: how well questions are planned. */

/** Sums over all files that share it. Pages of row groups that were pruned are not known, so not counted. */
export interface ReadTally {
  /** Those that were opened. */
  files: number
  /** Files with a row group that was read. */
  filesRead: number
  rowGroups: number
  /** Row groups of which any page or index was read; the others were pruned. */
  rowGroupsRead: number
  /** Pages, dictionaries among them, of the column chunks that were looked into. */
  pages: number
  pagesRead: number
  reads: number
  bytesRead: number
}

/** A tally of nothing. */
export function newTally(): ReadTally {
  return {
    files: 0,
    filesRead: 0,
    rowGroups: 0,
    rowGroupsRead: 0,
    pages: 0,
    pagesRead: 0,
    reads: 0,
    bytesRead: 0,
  }
}
