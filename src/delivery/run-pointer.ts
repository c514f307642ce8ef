/** Walks the runs of one dictionary column, forwards only, decoding no page that it passes over. */

import type { IndexChunk } from '../parquet/dictionary-chunk.ts'
import type { IndexRuns } from '../parquet/rle-reader.ts'

/** Stands on the run of rows that holds the row sought last. */
export class RunPointer {
  private readonly chunk: IndexChunk
  private page = 0
  private runs: IndexRuns
  private run = 0
  /** The dictionary index of the rows at hand, and the row behind them. */
  index = 0
  end = 0

  /** Stands on row 0. */
  constructor(chunk: IndexChunk) {
    this.chunk = chunk
    this.runs = chunk.runsOf(0)
    this.take(0)
  }

  /** Moves to a row that is not before the one sought last. */
  seek(row: number): void {
    if (row < this.end) return
    const { firstRows, pageCount } = this.chunk
    if (row >= (firstRows[this.page + 1] ?? 0)) {
      while (this.page + 1 < pageCount && (firstRows[this.page + 1] ?? 0) <= row) this.page++
      this.runs = this.chunk.runsOf(this.page)
      this.take(this.runs.runOf(row))
      return
    }
    const next = this.run + 1
    this.take((this.runs.ends[next] ?? 0) > row ? next : this.runs.runOf(row))
  }

  private take(run: number): void {
    this.run = run
    this.index = this.runs.indexes[run] ?? 0
    this.end = this.runs.ends[run] ?? 0
  }
}
