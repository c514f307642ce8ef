/** What lives over the scan of a shard, at fixed addresses of static memory. The host reads counters from here. */

/** Most bytes of a line before its line feed. */
export const MAX_LINE_BYTE_LENGTH: usize = 65536
/** Why a line is not kept; the order of `REJECT_REASONS`. */
export const LONG_LINE: u32 = 0
/** See `REJECT_REASONS`. */
export const NUL_BYTE: u32 = 1
/** See `REJECT_REASONS`. */
export const BAD_FIELDS: u32 = 2
/** See `REJECT_REASONS`. */
export const BAD_STATUS: u32 = 3
/** See `REJECT_REASONS`. */
export const BAD_DATE: u32 = 4
/** See `REJECT_REASONS`. */
export const BAD_TIME: u32 = 5
/** See `REJECT_REASONS`. */
export const BAD_RANGE: u32 = 6
/** See `REJECT_REASONS`. */
export const HUGE_RANGE: u32 = 7
/** See `REJECT_REASONS`. */
export const EMPTY_KEY: u32 = 8
/** See `REJECT_REASONS`. */
export const BAD_UTF8: u32 = 9
/** A line's fate when it is no reject: kept. */
export const KEPT: u32 = 16
/** A line's fate when it is no reject: its status proves no bytes. */
export const SKIPPED: u32 = 17
/** Likewise: its method is not GET. */
export const SKIPPED_METHOD: u32 = 18
/** Likewise: what it says proves no range. */
export const UNPROVEN: u32 = 19
/** Likewise: a request of the network to itself. */
export const SKIPPED_INNER: u32 = 20

/** Counts of one piece, as the host reads them: eight bytes each, in this order. */
@unmanaged
export class Counts {
  lines: u64
  comments: u64
  blank: u64
  kept: u64
  skippedStatus: u64
  /** Sum of kept range lengths; saturates at 2^63. */
  rows: u64
  byteLength: u64
  otherHeaderCount: u64
  listedRejects: u64
  /** Ten counters, one a reason, follow the fields above. */
  longLine: u64
  nulByte: u64
  badFields: u64
  badStatus: u64
  badDate: u64
  badTime: u64
  badRange: u64
  hugeRange: u64
  emptyKey: u64
  badUtf8: u64
  skippedMethod: u64
  unproven: u64
  skippedInner: u64
  /** Requests of which less was sent than asked for, and by how many bytes. */
  clippedRequests: u64
  clippedBytes: u64
  /** Kept requests of which nothing says how much was sent. */
  unmeasured: u64
}

/** Zero-based numbers of the fields, written by the host. */
@unmanaged
export class Layout {
  fieldCount: u32
  date: u32
  time: u32
  ip: u32
  userAgent: u32
  request: u32
  status: u32
  byteRange: u32
  /** The input's header line, without line end. */
  header: usize
  headerByteLength: usize
}

/** The counts of the piece at hand. */
export const counts: Counts = changetype<Counts>(memory.data(offsetof<Counts>(), 8))
/** The layout of the piece at hand. */
export const layout: Layout = changetype<Layout>(memory.data(offsetof<Layout>(), 8))
/** Adds one to the counter of `reason`. */
export function countReject(reason: u32): void {
  const counter = changetype<usize>(counts) + offsetof<Counts>('longLine') + ((<usize>reason) << 3)
  store<u64>(counter, load<u64>(counter) + 1)
}
