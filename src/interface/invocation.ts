/** What the command line asks for, as data. */

/** Options as typed: their meaning is checked where they are used. */
export interface ProcessArguments {
  readonly inputs: readonly string[]
  readonly out: string | undefined
  readonly store: string | undefined
  readonly format: string | undefined
  readonly fields: string | undefined
  readonly logFormat: string | undefined
  readonly asset: string | undefined
  readonly client: string | undefined
  readonly trustRequested: boolean
  readonly maxInflate: string | undefined
  readonly threads: string | undefined
  readonly s3Endpoint: string | undefined
  readonly rejects: string | undefined
  readonly maxRejects: string | undefined
  readonly force: boolean
  readonly json: boolean
  readonly quiet: boolean
}

/** Likewise for `query`. */
export interface QueryArguments {
  readonly store: string | undefined
  readonly asset: string | undefined
  readonly ip: readonly string[]
  readonly userAgent: readonly string[]
  readonly range: string | undefined
  readonly start: string | undefined
  readonly end: string | undefined
  readonly whole: boolean
  readonly length: string | undefined
  readonly since: string | undefined
  readonly until: string | undefined
  readonly batch: string | undefined
  readonly explain: boolean
  readonly requests: boolean
  readonly json: boolean
}

/** Likewise for `report`. */
export interface ReportArguments {
  readonly kind: string
  readonly store: string | undefined
  readonly asset: string | undefined
  readonly since: string | undefined
  readonly until: string | undefined
  readonly length: string | undefined
  readonly limit: string | undefined
  readonly by: string | undefined
  readonly window: string | undefined
  readonly bitrate: string | undefined
  readonly headerBytes: string | undefined
  readonly bots: string | undefined
  readonly threads: string | undefined
  readonly json: boolean
  readonly csv: boolean
  readonly html: boolean
}

/** Likewise for `export`. */
export interface ExportArguments {
  readonly store: string | undefined
  readonly ranges: string | undefined
  readonly asset: string | undefined
  readonly since: string | undefined
  readonly until: string | undefined
}

/** Likewise for `sql`. */
export interface SqlArguments {
  readonly statement: string
  readonly store: string | undefined
  readonly json: boolean
  readonly csv: boolean
}

/** Likewise for `inspect`. */
export interface InspectArguments {
  readonly path: string
  readonly files: boolean
  readonly verify: boolean
  readonly values: boolean
  readonly json: boolean
}

/** For `compact`. */
export interface CompactArguments {
  readonly store: string | undefined
  readonly date: string | undefined
  readonly json: boolean
}

/** For `vacuum`. */
export interface VacuumArguments {
  readonly store: string | undefined
  readonly retain: string | undefined
  readonly dryRun: boolean
  readonly json: boolean
}

/** For `forget`. */
export interface ForgetArguments {
  readonly store: string | undefined
  readonly ip: string | undefined
  readonly json: boolean
}

/** What the command line asks for; `text` is help or the version, to be printed as it is. */
export type Invocation =
  | { readonly command: 'process'; readonly options: ProcessArguments }
  | { readonly command: 'query'; readonly options: QueryArguments }
  | { readonly command: 'report'; readonly options: ReportArguments }
  | { readonly command: 'export'; readonly options: ExportArguments }
  | { readonly command: 'sql'; readonly options: SqlArguments }
  | { readonly command: 'inspect'; readonly options: InspectArguments }
  | { readonly command: 'compact'; readonly options: CompactArguments }
  | { readonly command: 'vacuum'; readonly options: VacuumArguments }
  | { readonly command: 'forget'; readonly options: ForgetArguments }
  | { readonly command: 'tour' }
  | { readonly command: 'text'; readonly text: string }
