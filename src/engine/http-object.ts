/**
 * Logs behind `http://` and `https://`: what is asked, and what is made of the answers. Requests are those of Node
 * itself, since `fetch` would inflate what a range is cut out of. Source: RFC 9110.
 */

import { type IncomingHttpHeaders, type IncomingMessage, request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import { Failure, messageOf } from '../base/failure.ts'
import { showRemote } from './remote-name.ts'
import {
  type ByteRange,
  changedObject,
  IDLE_MS,
  interrupted,
  isPassingStatus,
  type ObjectFacts,
  PassingFailure,
  type RemoteObject,
  readContentRange,
  receive,
  strongTag,
} from './remote-object.ts'

const MAX_REDIRECTS = 5
const REDIRECTS: readonly number[] = [301, 302, 303, 307, 308]
/** What a body may be encoded with: it is inflated by its content. */
const KNOWN_ENCODINGS: readonly string[] = ['', 'identity', 'gzip', 'x-gzip', 'zstd']

/** A URL as an object. */
export class HttpObject implements RemoteObject {
  readonly name: string
  private readonly url: URL
  private readonly idleMs: number

  constructor(url: URL, { idleMs = IDLE_MS }: { readonly idleMs?: number } = {}) {
    this.url = url
    this.name = showRemote(url)
    this.idleMs = idleMs
  }

  /** Asks for the first byte: servers that know no HEAD, and URLs signed for GET alone, answer that too. */
  async look(signal: AbortSignal): Promise<ObjectFacts> {
    const response = await this.ask({ range: 'bytes=0-0' }, signal)
    const { statusCode, headers } = response
    // One byte is soon read, so that the connection can be used again; a whole log is not.
    if (statusCode === 206) response.resume()
    else response.destroy()
    const version = strongTag(headers.etag)
    if (statusCode === 206) {
      const range = readContentRange(headers['content-range'])
      return { byteLength: range?.total, version, hasRanges: range?.total !== undefined }
    }
    if (statusCode === 416 && readContentRange(headers['content-range'])?.total === 0) {
      return { byteLength: 0, version, hasRanges: true }
    }
    if (statusCode !== 200) throw this.refused(response)
    return { byteLength: readLength(headers), version, hasRanges: false }
  }

  async *read(
    range: ByteRange | undefined,
    facts: ObjectFacts,
    signal: AbortSignal,
  ): AsyncGenerator<Uint8Array> {
    const headers: Record<string, string> = {}
    if (facts.version !== undefined) headers['if-match'] = facts.version
    if (range !== undefined) {
      headers['range'] = `bytes=${range.start}-${range.end - 1}`
      if (facts.version !== undefined) headers['if-range'] = facts.version
    }
    const response = await this.ask(headers, signal)
    try {
      this.checkAnswer(response, range, facts)
      let byteLength = 0
      for await (const bytes of receive(response, this.idleMs, () => response.destroy(this.idleError()))) {
        byteLength += bytes.length
        yield bytes
      }
      const expected = range === undefined ? readLength(response.headers) : range.end - range.start
      if (expected !== undefined && byteLength < expected) {
        throw new PassingFailure(
          `cannot read ${this.name}: expected ${expected} bytes, found only ${byteLength}`,
        )
      }
    } catch (cause) {
      throw this.broken(cause, signal)
    } finally {
      response.destroy()
    }
  }

  private idleError(): Error {
    return new Error(`nothing came for ${this.idleMs / 1000} s`)
  }

  /** Fails unless the answer holds the range, or the whole, of the version that was looked at. */
  private checkAnswer(response: IncomingMessage, range: ByteRange | undefined, facts: ObjectFacts): void {
    const { statusCode, headers } = response
    const version = strongTag(headers.etag)
    if (
      statusCode === 412 ||
      (facts.version !== undefined && version !== undefined && version !== facts.version)
    )
      throw changedObject(this.name, `ETag ${facts.version}`, version ?? 'another')
    if (statusCode === 416) throw changedObject(this.name, `${facts.byteLength} bytes`, 'fewer (416)')
    if (statusCode !== (range === undefined ? 200 : 206)) {
      if (range !== undefined && statusCode === 200)
        throw changedObject(this.name, 'a part of it', 'all of it (200 to a range request)')
      throw this.refused(response)
    }
    const encoding = headers['content-encoding'] ?? ''
    if (!KNOWN_ENCODINGS.includes(encoding.toLowerCase()))
      throw this.failure(
        `a body without encoding, gzip or zstd, found ${encoding}; fetch it and give the file`,
      )
    if (range === undefined) {
      if (readLength(headers) === undefined && headers['transfer-encoding'] === undefined)
        throw this.failure(
          'a Content-Length, found none, so that a cut would not show; fetch it and give the file',
        )
      return
    }
    const found = readContentRange(headers['content-range'])
    if (found?.total !== undefined && found.total !== facts.byteLength)
      throw changedObject(this.name, `${facts.byteLength} bytes`, String(found.total))
    if (found?.first !== range.start || found.last !== range.end - 1)
      throw this.failure(
        `bytes ${range.start}-${range.end - 1}, found ${headers['content-range'] ?? 'no Content-Range'}; ` +
          'the server gets ranges wrong: fetch it and give the file',
      )
  }

  private failure(expected: string): Failure {
    return new Failure('ENVIRONMENT', `cannot read ${this.name}: expected ${expected}`)
  }

  private async ask(
    headers: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<IncomingMessage> {
    let url = this.url
    for (let redirects = 0; ; redirects++) {
      const response = await this.send(url, headers, signal)
      const { location } = response.headers
      if (!REDIRECTS.includes(response.statusCode ?? 0) || location === undefined) return response
      response.destroy()
      if (redirects >= MAX_REDIRECTS) throw this.failure(`at most ${MAX_REDIRECTS} redirects, found more`)
      url = this.redirected(url, location)
    }
  }

  private redirected(from: URL, location: string): URL {
    const url = URL.canParse(location, from.href) ? new URL(location, from) : undefined
    if (url === undefined || !/^https?:$/.test(url.protocol)) {
      throw this.failure('a redirect to an http or https URL, found another')
    }
    if (from.protocol === 'https:' && url.protocol === 'http:') {
      throw this.failure(`only https after https, found a redirect to ${showRemote(url)}`)
    }
    // What lets us in here is nobody else's business.
    if (url.origin === from.origin && url.username === '') {
      url.username = from.username
      url.password = from.password
    }
    return url
  }

  private send(
    url: URL,
    headers: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<IncomingMessage> {
    const { username, password } = url
    const auth = username === '' ? undefined : `${decodeWord(username)}:${decodeWord(password)}`
    const all = { 'user-agent': 'byteledger', 'accept-encoding': 'identity', ...headers }
    const options = { headers: all, signal, ...(auth === undefined ? {} : { auth }) }
    return new Promise((resolve, reject) => {
      const target = new URL(url)
      target.username = ''
      target.password = ''
      const request = (url.protocol === 'https:' ? requestHttps : requestHttp)(
        target.href,
        options,
        (response) => {
          clearTimeout(timer)
          resolve(response)
        },
      )
      const timer = setTimeout(() => request.destroy(this.idleError()), this.idleMs)
      request.on('error', (cause) => {
        clearTimeout(timer)
        reject(this.broken(cause, signal))
      })
      request.end()
    })
  }

  /** What became of a connection, as a failure: most such things pass. */
  private broken(cause: unknown, signal: AbortSignal): Failure {
    if (signal.aborted) return interrupted()
    if (cause instanceof Failure) return cause
    return new PassingFailure(`cannot read ${this.name}: ${messageOf(cause)}`, { cause })
  }

  private refused({ statusCode = 0, statusMessage = '', headers }: IncomingMessage): Failure {
    const message =
      `cannot read ${this.name}: expected the log, found ${statusCode} ${statusMessage}`.trimEnd()
    if (isPassingStatus(statusCode)) {
      const seconds = Number(headers['retry-after'] ?? 0)
      return new PassingFailure(message, { waitMs: Number.isFinite(seconds) ? 1000 * seconds : 0 })
    }
    return new Failure('ENVIRONMENT', `${message}; ${adviceFor(statusCode)}`)
  }
}

/** A word of a URL; one that is wrongly encoded is taken as it stands. */
function decodeWord(word: string): string {
  try {
    return decodeURIComponent(word)
  } catch {
    return word
  }
}

function adviceFor(statusCode: number): string {
  if (statusCode === 401 || statusCode === 403) {
    return 'check user name and password, or whether a signed URL has expired'
  }
  if (statusCode === 404 || statusCode === 410) return 'check the URL'
  return 'fetch it by other means and give the file'
}

function readLength(headers: IncomingHttpHeaders): number | undefined {
  const text = headers['content-length'] ?? ''
  return /^\d{1,15}$/.test(text) ? Number(text) : undefined
}
