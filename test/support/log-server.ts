/** A server of one object for tests, which can misbehave in every way that matters. */

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** What of an answer is out of the ordinary; what is undefined is as it should be. */
export interface Fault {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  /** Cuts the connection after so many bytes of the body. */
  readonly dropAfter?: number
  /** Sends so many bytes of the body, then nothing for ever. */
  readonly stallAfter?: number
  readonly etag?: string | null
  readonly noRanges?: boolean
  readonly contentLength?: number | null
  readonly content?: Uint8Array
  readonly contentRange?: string
  /** Waits so long before it answers. */
  readonly delayMs?: number
}

export interface SeenRequest {
  readonly url: string
  readonly range: string | undefined
  readonly headers: IncomingMessage['headers']
}

export interface LogServer {
  readonly url: string
  readonly requests: SeenRequest[]
  /** The most requests that were under way at once. */
  readonly mostAtOnce: () => number
  close(): Promise<void>
}

/** `faultOf` hears the number of the request, from 0, and what it asks for. */
export async function startLogServer(
  content: Uint8Array,
  faultOf: (index: number, request: SeenRequest) => Fault | undefined = () => undefined,
): Promise<LogServer> {
  const requests: SeenRequest[] = []
  let underWay = 0
  let most = 0
  const server = createServer((request, response) => {
    const seen = { url: request.url ?? '', range: request.headers.range, headers: request.headers }
    const fault = faultOf(requests.length, seen) ?? {}
    requests.push(seen)
    underWay++
    most = Math.max(most, underWay)
    response.on('close', () => underWay--)
    setTimeout(() => answer(response, seen, fault.content ?? content, fault), fault.delayMs ?? 0)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address: AddressInfo | string | null = server.address()
  const port = typeof address === 'object' ? address?.port : undefined
  return {
    url: `http://127.0.0.1:${port}/logs/day.log`,
    requests,
    mostAtOnce: () => most,
    close: () => {
      server.closeAllConnections()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
}

function answer(
  response: ServerResponse,
  { range, headers }: SeenRequest,
  content: Uint8Array,
  fault: Fault,
): void {
  const etag = fault.etag === undefined ? '"v1"' : fault.etag
  if (etag !== null) response.setHeader('ETag', etag)
  for (const [name, value] of Object.entries(fault.headers ?? {})) response.setHeader(name, value)
  if (fault.status !== undefined) {
    response.writeHead(fault.status).end('no log')
    return
  }
  if (headers['if-match'] !== undefined && headers['if-match'] !== etag) {
    response.writeHead(412).end()
    return
  }
  const asked = fault.noRanges === true ? null : /^bytes=(\d+)-(\d+)$/.exec(range ?? '')
  let body = content
  if (asked !== null) {
    const [first, last] = [Number(asked[1]), Math.min(Number(asked[2]), content.length - 1)]
    if (first >= content.length) {
      response.writeHead(416, { 'Content-Range': `bytes */${content.length}` }).end()
      return
    }
    body = content.subarray(first, last + 1)
    response.statusCode = 206
    response.setHeader('Content-Range', fault.contentRange ?? `bytes ${first}-${last}/${content.length}`)
  }
  if (fault.contentLength !== null) response.setHeader('Content-Length', fault.contentLength ?? body.length)
  const cut = fault.dropAfter ?? fault.stallAfter
  if (cut === undefined || cut >= body.length) {
    response.end(body)
    return
  }
  response.write(body.subarray(0, cut), () => {
    if (fault.dropAfter !== undefined) response.destroy()
  })
  if (cut === 0) response.flushHeaders()
}
