/** How the lines of a format are made, and what their fields mean: data that a scanner follows. */

/** What a field can mean; the order is that of the slots in assembly/record-layout.ts. */
export const RECORD_SLOTS = [
  'date',
  'time',
  'instant',
  'ip',
  'forwardedFor',
  'userAgent',
  'requestLine',
  'target',
  'path',
  'query',
  'host',
  'scheme',
  'method',
  'status',
  'range',
  'contentRange',
  'rangeFirst',
  'rangeLast',
  'bodyBytes',
  'overheadBytes',
  'sentBytes',
  'contentLength',
  'length',
  'completion',
  'result',
  'detail',
  'requestId',
  'inner',
  'source',
  'protocol',
  'responseResult',
] as const

/**
 * See `RECORD_SLOTS`. `target` is a path with its query, `path` one without; `range` is what the client asked
 * for, `contentRange` and `rangeFirst` with `rangeLast` what the response says; `bodyBytes` were sent without
 * headers, `sentBytes` with them; `length` is the asset's complete length, `contentLength` the response's;
 * `inner` and `source` tell requests that the network made to itself; `result` and `detail` say how CloudFront ended
 * with a request, `responseResult` what it made of it before it sent the response.
 */
export type RecordSlot = (typeof RECORD_SLOTS)[number]

/** What becomes the asset: the path, the whole URL, or parts of it. The order is that of `assetKind`. */
export const ASSET_KINDS = ['path', 'url', 'host+path', 'path+query'] as const
/** See `ASSET_KINDS`. */
export type AssetKind = (typeof ASSET_KINDS)[number]

/** Whose address counts as the client's. */
export type ClientKind = 'c-ip' | 'x-forwarded-for'

/** How a log says that a transfer ended as it should; the order is that of `completionKind`, from 0. */
export const COMPLETION_KINDS = ['none', 'ok', 'not-x', 'edge-result', 'truth'] as const
/** `ok`: OK or nothing (nginx); `not-x`: X means aborted (Apache); `edge-result`: CloudFront's; `truth`: 1 or true. */
export type CompletionKind = (typeof COMPLETION_KINDS)[number]

/** What `bodyBytes` count; see `RecordCounts`. */
export type BodyCount = 'sent' | 'sent-in-chunks' | 'sent-in-frames' | 'offered'
/** What `sentBytes` count beside the body; see `RecordCounts`. */
export type SentCount = 'headers' | 'frames' | 'wire'

/** What the counts of a server mean. */
export interface RecordCounts {
  /**
   * `sent`: bytes of the body that were sent. `sent-in-chunks`: these with the framing of chunks, on a line without
   * a content length. `sent-in-frames`: these with what HTTP/2 adds, unless the protocol is said to be HTTP/1; a line
   * without a count proves nothing. `offered`: bytes of the response, whether or not they were sent.
   */
  readonly body: BodyCount
  /**
   * `headers` alone; with the `frames` of HTTP/2; or everything on the `wire`, that of TLS as well, and of chunks on a
   * line without a content length.
   */
  readonly sent: SentCount
}

/** Counts that say what was sent, for all that is known. */
export const PLAIN_COUNTS: RecordCounts = { body: 'sent', sent: 'headers' }

/** One field of a line. */
export interface RecordField {
  /** Undefined when it is of no use. */
  readonly slot: RecordSlot | undefined
  /** In a template the literal after the field, in JSON the member's name; otherwise empty. */
  readonly text: string
  /** In JSON the index of the field whose object it stands in. */
  readonly parent?: number
  /**
   * In a template: whether the field begins after the last of the literals before it, up to its own: it is known not
   * to hold that literal, and the field before may.
   */
  readonly startsLast?: boolean
}

/** How fields are written. */
export interface RecordSpelling {
  /** `c`: `\xHH`, `\"` and the like; `json`: JSON's escapes in a template. */
  readonly escapes: 'none' | 'c' | 'json'
  /** Whether `-` stands for nothing. */
  readonly dashIsNull: boolean
  /** Whether a body byte count of `-` is zero. */
  readonly dashIsZero: boolean
  /** Whether user agents and forwarded addresses are percent-encoded. */
  readonly percent: boolean
  /** Whether paths may lack their first slash. */
  readonly addSlash: boolean
  /** Whether a field may stand in quotes. */
  readonly quoted: boolean
  /** Whether lines that begin with `#` are comments. */
  readonly comments: boolean
  /** Whether one more, empty field may end a line. */
  readonly trailingField: boolean
}

/** What the user wants of the lines. */
export interface RecordChoices {
  readonly asset: AssetKind
  readonly client: ClientKind
  /** Whether what was requested counts as sent. */
  readonly trustRequested: boolean
}

/** See the head of this file. */
export interface RecordLayout extends RecordSpelling, RecordChoices {
  readonly structure: 'separated' | 'template' | 'json'
  /** Between fields; one ASCII character. */
  readonly separator: '\t' | ' '
  /** The literal before the first field of a template. */
  readonly prefix: string
  readonly fields: readonly RecordField[]
  readonly completion: CompletionKind
  readonly counts: RecordCounts
}

/** A spelling without anything special. */
export const PLAIN_SPELLING: RecordSpelling = {
  escapes: 'none',
  dashIsNull: false,
  dashIsZero: false,
  percent: false,
  addSlash: false,
  quoted: false,
  comments: false,
  trailingField: false,
}
