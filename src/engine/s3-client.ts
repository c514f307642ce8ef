/** The one file that knows the AWS SDK, which is loaded when it is asked for and need not be there. */

import type { ListedOutput, S3Client } from '@aws-sdk/client-s3'
import { Failure, messageOf } from '../base/failure.ts'
import { type ListedObject, type ObjectServer, ObjectServerError } from './object-server.ts'
import { strongTag } from './remote-object.ts'

type Sdk = typeof import('@aws-sdk/client-s3')

/** Where credentials came from does not matter, but a region must be named; servers other than Amazon's ignore it. */
const ANY_REGION = 'us-east-1'

/**
 * Opens S3, or what speaks like it at `endpoint`; credentials and region come by the usual chain (environment,
 * shared files, the machine's role). Fails with `ENVIRONMENT`, saying how to install it, when the SDK is not there.
 */
export async function openS3(
  endpoint: string | undefined = endpointOf(process.env),
  load: () => Promise<Sdk> = loadSdk,
): Promise<ObjectServer> {
  const sdk = await loadOrExplain(load)
  const client = await createClient(sdk, endpoint)
  return {
    async list({ bucket, prefix, from }, signal) {
      const command = new sdk.ListObjectsV2Command({
        Bucket: bucket,
        Prefix: prefix,
        ...(from === undefined ? {} : { ContinuationToken: from }),
      })
      const page = await explained(client.send(command, { abortSignal: signal }))
      // A list that ends too soon would read as a bucket with fewer logs.
      if (page.IsTruncated === true && page.NextContinuationToken === undefined)
        throw unexpected('a list that goes on but does not say where', 'NoToken')
      return { objects: (page.Contents ?? []).map(readListed), next: page.NextContinuationToken }
    },
    async look({ bucket, key }, signal) {
      const command = new sdk.HeadObjectCommand({ Bucket: bucket, Key: key })
      const head = await explained(client.send(command, { abortSignal: signal }))
      if (head.ContentLength === undefined) throw unexpected('no Content-Length', 'NoLength')
      return { key, byteLength: head.ContentLength, version: readTag(head.ETag) }
    },
    async read({ bucket, key }, { range, version }, signal) {
      const command = new sdk.GetObjectCommand({
        Bucket: bucket,
        Key: key,
        ...(range === undefined ? {} : { Range: `bytes=${range.start}-${range.end - 1}` }),
        ...(version === undefined ? {} : { IfMatch: version }),
      })
      const { Body, ContentLength, ContentRange, ETag } = await explained(
        client.send(command, { abortSignal: signal }),
      )
      if (Body === undefined) throw unexpected('no body', 'NoBody')
      return { version: readTag(ETag), byteLength: ContentLength, contentRange: ContentRange, body: Body }
    },
  }
}

/** As the SDK reads it; it must be known here, as buckets are then named in paths. */
function endpointOf(environment: NodeJS.ProcessEnv): string | undefined {
  if (environment['AWS_IGNORE_CONFIGURED_ENDPOINT_URLS']?.toLowerCase() === 'true') return undefined
  return environment['AWS_ENDPOINT_URL_S3'] || environment['AWS_ENDPOINT_URL'] || undefined
}

function readListed({ Key, Size, ETag }: ListedOutput): ListedObject {
  // Taken for an empty object, it would be passed over in silence.
  if (Key === undefined || Size === undefined) throw unexpected('a list without keys or sizes', 'NoSize')
  return { key: Key, byteLength: Size, version: readTag(ETag) }
}

/** Some servers leave out the quotes in lists, but not in headers. */
function readTag(tag: string | undefined): string | undefined {
  return strongTag(tag !== undefined && /^[^"]+$/.test(tag) ? `"${tag}"` : tag)
}

function unexpected(found: string, code: string): ObjectServerError {
  return new ObjectServerError(`found ${found}`, { statusCode: 200, code })
}

function loadSdk(): Promise<Sdk> {
  return import('@aws-sdk/client-s3')
}

async function loadOrExplain(load: () => Promise<Sdk>): Promise<Sdk> {
  try {
    return await load()
  } catch (cause) {
    if (field(cause, 'code') !== 'ERR_MODULE_NOT_FOUND') throw cause
    throw new Failure(
      'ENVIRONMENT',
      // Without --save-prod npm takes it for installed, as our package.json names it as a peer.
      's3:// needs the AWS SDK, which is not installed: npm install --save-prod @aws-sdk/client-s3 beside byteledger',
      { cause },
    )
  }
}

async function createClient({ S3Client }: Sdk, endpoint: string | undefined): Promise<S3Client> {
  const settings = {
    // Not every server of this kind has names for its buckets.
    forcePathStyle: endpoint !== undefined,
    followRegionRedirects: true,
    // What fails is tried again where the reading goes on from.
    maxAttempts: 1,
    // The checksum is that of the whole object, and of its parts in turn for one that came in parts.
    responseChecksumValidation: 'WHEN_REQUIRED',
    ...(endpoint === undefined ? {} : { endpoint }),
  } as const
  const client = new S3Client(settings)
  const region = await client.config.region().catch(() => undefined)
  return region === undefined ? new S3Client({ ...settings, region: ANY_REGION }) : client
}

async function explained<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer
  } catch (cause) {
    const statusCode = field(field(cause, '$metadata'), 'httpStatusCode')
    throw new ObjectServerError(messageOf(cause), {
      statusCode: typeof statusCode === 'number' ? statusCode : undefined,
      code: String(field(cause, 'name') ?? ''),
      cause,
    })
  }
}

function field(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined
  const found: unknown = Reflect.get(value, name)
  return found
}
