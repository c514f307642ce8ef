/** What byteledger uses of the AWS SDK, which need not be installed, nor its types. */
declare module '@aws-sdk/client-s3' {
  interface ClientSettings {
    readonly region?: string
    readonly endpoint?: string
    readonly forcePathStyle: boolean
    readonly followRegionRedirects: boolean
    readonly maxAttempts: number
    readonly responseChecksumValidation: 'WHEN_REQUIRED'
  }

  interface SendOptions {
    readonly abortSignal: AbortSignal
  }

  export interface ListedOutput {
    readonly Key?: string
    readonly Size?: number
    readonly ETag?: string
  }

  interface ListOutput {
    readonly Contents?: readonly ListedOutput[]
    readonly IsTruncated?: boolean
    readonly NextContinuationToken?: string
  }

  interface HeadOutput {
    readonly ContentLength?: number
    readonly ETag?: string
  }

  interface GetOutput extends HeadOutput {
    readonly ContentRange?: string
    readonly Body?: AsyncIterable<Uint8Array>
  }

  interface Place {
    readonly Bucket: string
    readonly Key: string
  }

  export class ListObjectsV2Command {
    private readonly asks: 'list'
    constructor(input: {
      readonly Bucket: string
      readonly Prefix: string
      readonly ContinuationToken?: string
    })
  }

  export class HeadObjectCommand {
    private readonly asks: 'head'
    constructor(input: Place)
  }

  export class GetObjectCommand {
    private readonly asks: 'get'
    constructor(input: Place & { readonly Range?: string; readonly IfMatch?: string })
  }

  export class S3Client {
    readonly config: { readonly region: () => Promise<string> }
    constructor(settings: ClientSettings)
    send(command: ListObjectsV2Command, options: SendOptions): Promise<ListOutput>
    send(command: HeadObjectCommand, options: SendOptions): Promise<HeadOutput>
    send(command: GetObjectCommand, options: SendOptions): Promise<GetOutput>
  }
}
