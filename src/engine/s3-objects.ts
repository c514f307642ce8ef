/** `s3://bucket/key`, `s3://bucket/prefix/` and `s3://bucket/prefix/*.gz`: which objects are meant, and reading them. */

import { Failure, messageOf } from '../base/failure.ts'
import { matchesName } from '../base/match-name.ts'
import {
  type ListedObject,
  type ListedPage,
  type ObjectPlace,
  type ObjectServer,
  ObjectServerError,
} from './object-server.ts'
import { type PinnedObject, persist } from './range-reader.ts'
import {
  type ByteRange,
  changedObject,
  IDLE_MS,
  interrupted,
  isPassingStatus,
  type ObjectFacts,
  PassingFailure,
  type RemoteObject,
  type RemoteOptions,
  readContentRange,
  receive,
} from './remote-object.ts'

const FORMS =
  's3://bucket/key, s3://bucket/prefix/ for all below it, or a glob in quotes like "s3://bucket/logs/*.gz"'

/** The objects that a name means, sorted by key. Fails with `USAGE` when there is none. */
export async function findObjects(
  name: string,
  server: ObjectServer,
  { options, signal }: { readonly options: RemoteOptions; readonly signal: AbortSignal },
): Promise<readonly PinnedObject[]> {
  const { bucket, key } = readPlace(name)
  const pin = (listed: ListedObject): PinnedObject => {
    const object = new S3Object(server, { bucket, key: listed.key }, options)
    return { object, facts: factsOf(listed) }
  }
  const folder = key.slice(0, key.lastIndexOf('/') + 1)
  const pattern = key.slice(folder.length)
  if (/[*?]/.test(folder))
    throw new Failure('USAGE', `${name}: only the last part may be a pattern; expected ${FORMS}`)
  if (pattern !== '' && !/[*?]/.test(pattern)) {
    const object = new S3Object(server, { bucket, key }, options)
    return [{ object, facts: await persist(() => object.look(signal), options, signal) }]
  }
  const prefix = folder + (/^[^*?]*/.exec(pattern)?.[0] ?? '')
  const listed = await listAll(server, { bucket, prefix }, { options, signal })
  // An object may really be called so: what exists is never taken for a pattern.
  const itself = pattern === '' ? [] : listed.filter((one) => one.key === key)
  const found =
    itself.length > 0 ? itself : listed.filter((one) => isMeant(one.key.slice(folder.length), pattern))
  if (found.length === 0) {
    throw new Failure(
      'USAGE',
      `no object matches ${name} (names that begin with . or _ are passed over): expected ${FORMS}`,
    )
  }
  return found.toSorted((a, b) => (a.key < b.key ? -1 : Number(a.key > b.key))).map(pin)
}

function readPlace(name: string): ObjectPlace {
  const [, bucket, key = ''] = /^s3:\/\/([^/]+)(?:\/(.*))?$/is.exec(name) ?? []
  if (bucket === undefined) throw new Failure('USAGE', `${name} names no bucket: expected ${FORMS}`)
  return { bucket, key }
}

/** `rest` is the key behind the folder. Keys that end with `/` stand for folders, and hold nothing. */
function isMeant(rest: string, pattern: string): boolean {
  if (rest === '' || rest.endsWith('/')) return false
  if (pattern !== '') return !rest.includes('/') && matchesName(pattern, rest)
  return !rest.split('/').some((part) => /^[._]/.test(part))
}

async function listAll(
  server: ObjectServer,
  { bucket, prefix }: { readonly bucket: string; readonly prefix: string },
  { options, signal }: { readonly options: RemoteOptions; readonly signal: AbortSignal },
): Promise<ListedObject[]> {
  const objects: ListedObject[] = []
  const name = `s3://${bucket}/${prefix}`
  let from: string | undefined
  do {
    const ask = (): Promise<ListedPage> =>
      patiently((either) => server.list({ bucket, prefix, from }, either), { name, options, signal })
    const page = await persist(ask, options, signal)
    for (const object of page.objects) objects.push(object)
    if (page.next !== undefined && page.next === from)
      throw new Failure('ENVIRONMENT', `cannot list ${name}: expected the next page, found the same again`)
    from = page.next
  } while (from !== undefined)
  return objects
}

/** A request without a body to speak of: given up when no answer comes. */
async function patiently<T>(
  ask: (signal: AbortSignal) => Promise<T>,
  {
    name,
    options,
    signal,
  }: {
    readonly name: string
    readonly options: RemoteOptions
    readonly signal: AbortSignal
  },
): Promise<T> {
  const { idleMs = IDLE_MS } = options
  const idle = new AbortController()
  const timer = setTimeout(() => idle.abort(idleError(idleMs)), idleMs)
  try {
    return await ask(AbortSignal.any([signal, idle.signal]))
  } catch (cause) {
    throw failureOf(idle.signal.aborted ? idle.signal.reason : cause, name, signal)
  } finally {
    clearTimeout(timer)
  }
}

function idleError(idleMs: number): Error {
  return new Error(`nothing came for ${idleMs / 1000} s`)
}

function factsOf({ byteLength, version }: ListedObject): ObjectFacts {
  return { byteLength, version, hasRanges: true }
}

/** An object in a bucket. */
class S3Object implements RemoteObject {
  readonly name: string
  private readonly server: ObjectServer
  private readonly place: ObjectPlace
  private readonly options: RemoteOptions

  constructor(server: ObjectServer, place: ObjectPlace, options: RemoteOptions) {
    this.server = server
    this.place = place
    this.options = options
    this.name = `s3://${place.bucket}/${place.key}`
  }

  async look(signal: AbortSignal): Promise<ObjectFacts> {
    const { name, options } = this
    return factsOf(
      await patiently((either) => this.server.look(this.place, either), { name, options, signal }),
    )
  }

  async *read(
    range: ByteRange | undefined,
    facts: ObjectFacts,
    signal: AbortSignal,
  ): AsyncGenerator<Uint8Array> {
    const { idleMs = IDLE_MS } = this.options
    const idle = new AbortController()
    const giveUp = (): void => idle.abort(idleError(idleMs))
    const either = AbortSignal.any([signal, idle.signal])
    const timer = setTimeout(giveUp, idleMs)
    let byteLength = 0
    try {
      const wanted = { range, version: facts.version }
      const served = await this.server.read(this.place, wanted, either).finally(() => clearTimeout(timer))
      this.checkAnswer(served, range, facts)
      for await (const bytes of receive(served.body, idleMs, giveUp)) {
        byteLength += bytes.length
        yield bytes
      }
    } catch (cause) {
      if (idle.signal.aborted && !signal.aborted) throw failureOf(idle.signal.reason, this.name, signal)
      throw failureOf(cause, this.name, signal)
    } finally {
      idle.abort()
    }
    const expected = range === undefined ? facts.byteLength : range.end - range.start
    if (expected !== undefined && byteLength < expected) {
      throw new PassingFailure(
        `cannot read ${this.name}: expected ${expected} bytes, found only ${byteLength}`,
      )
    }
  }

  private checkAnswer(
    {
      version,
      contentRange,
    }: { readonly version: string | undefined; readonly contentRange: string | undefined },
    range: ByteRange | undefined,
    facts: ObjectFacts,
  ): void {
    if (facts.version !== undefined && version !== undefined && version !== facts.version)
      throw changedObject(this.name, `ETag ${facts.version}`, version)
    if (range === undefined) return
    const found = readContentRange(contentRange)
    if (found?.total !== undefined && found.total !== facts.byteLength)
      throw changedObject(this.name, `${facts.byteLength} bytes`, String(found.total))
    if (found?.first !== range.start || found.last !== range.end - 1) {
      const asked = `bytes ${range.start}-${range.end - 1}`
      throw new Failure(
        'ENVIRONMENT',
        `cannot read ${this.name}: expected ${asked}, found ${contentRange ?? 'no Content-Range'}; ` +
          'the server gets ranges wrong: fetch it and give the file',
      )
    }
  }
}

/** What the server's answer, or none, means. */
function failureOf(cause: unknown, name: string, signal: AbortSignal): Failure {
  if (signal.aborted) return interrupted()
  if (cause instanceof Failure) return cause
  const message = `cannot read ${name}: ${messageOf(cause)}`
  if (!(cause instanceof ObjectServerError)) return new PassingFailure(message, { cause })
  const { statusCode, code } = cause
  if (statusCode === 412) return changedObject(name, 'the version that was looked at', 'another')
  if (statusCode === 416) return changedObject(name, 'the range that it had', 'fewer bytes (416)')
  const isCredentials = /Credential|Token|Sso/i.test(code)
  if (
    !isCredentials &&
    (statusCode === undefined || isPassingStatus(statusCode) || /SlowDown|Throttl/.test(code))
  )
    return new PassingFailure(message, { cause })
  const found = [statusCode, code].filter((part) => part !== undefined && part !== '').join(' ')
  return new Failure('ENVIRONMENT', `${message} (${found}); ${adviceFor(statusCode, isCredentials)}`, {
    cause,
  })
}

function adviceFor(statusCode: number | undefined, isCredentials: boolean): string {
  if (isCredentials) return 'give credentials, by AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY or AWS_PROFILE'
  if (statusCode === 404) return 'check bucket and key; a prefix ends with /'
  if (statusCode === 403)
    return 'check that the credentials allow s3:GetObject and s3:ListBucket, and that the object is not archived'
  if (statusCode === 301 || statusCode === 400) return 'check AWS_REGION and --s3-endpoint'
  return 'fetch it by other means and give the file'
}
