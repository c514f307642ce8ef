/** Clients of web servers that know, byte by byte, what they received. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { connect as connectHttp2, constants } from 'node:http2'
import { connect, type Socket } from 'node:net'
import { setTimeout } from 'node:timers/promises'
import { connect as connectTls } from 'node:tls'

/** What came: the body without the framing of chunks, as far as it came. */
export interface Received {
  readonly head: string
  readonly body: Buffer
}

/** A request; the user agent tells it from the others. */
export interface Request {
  readonly path: string
  readonly userAgent: string
  readonly headers?: Readonly<Record<string, string>>
}

/** How a client leaves before the end. */
export interface Leaving {
  /** After so many bytes. */
  readonly after: number
  /**
   * `reset`: goes away at once, and what is under way is lost. `stall`: takes nothing more until the server has
   * given up, then all that had left the server.
   */
  readonly how: 'reset' | 'stall'
}

/** Longer than a server waits for a client. */
const STALL_MS = 6000
const CLIENT_DEADLINE_SECONDS = '60'

/** What the program `curl` writes, and the headers it saw. */
export function fetchByCurl(
  port: number,
  { path, userAgent, headers = {} }: Request,
  { folder, options = [] }: { readonly folder: string; readonly options?: readonly string[] },
): Received {
  const [body, head] = [`${folder}/curl.body`, `${folder}/curl.head`]
  const given = Object.entries(headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`])
  const files = ['-s', '-m', CLIENT_DEADLINE_SECONDS, '-o', body, '-D', head, '-A', userAgent]
  execFileSync('curl', [...files, ...given, ...options, `http://127.0.0.1:${port}${path}`])
  const isHead = options.includes('-I')
  return { head: readFileSync(head, 'latin1'), body: isHead ? Buffer.alloc(0) : readFileSync(body) }
}

/** The data of chunks (RFC 9112, 7.1), as far as they came. */
function joinChunks(framed: Buffer): Buffer {
  const parts: Buffer[] = []
  for (let at = 0; at < framed.length; ) {
    const lineEnd = framed.indexOf('\r\n', at)
    const byteLength = lineEnd < 0 ? 0 : Number.parseInt(framed.toString('latin1', at, lineEnd), 16)
    if (!(byteLength > 0)) break
    parts.push(framed.subarray(lineEnd + 2, lineEnd + 2 + byteLength))
    at = lineEnd + 2 + byteLength + 2
  }
  return Buffer.concat(parts)
}

function takeApart(whole: Buffer): Received {
  const headEnd = whole.indexOf('\r\n\r\n')
  if (headEnd < 0) return { head: whole.toString('latin1'), body: Buffer.alloc(0) }
  const head = whole.toString('latin1', 0, headEnd)
  const body = whole.subarray(headEnd + 4)
  return { head, body: /^transfer-encoding: chunked\r?$/im.test(head) ? joinChunks(body) : body }
}

function open(port: number, isTls: boolean): Socket {
  if (!isTls) return connect(port, '127.0.0.1')
  return connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false })
}

/** One request of HTTP/1.1 over a connection of its own, which ends as `leaving` says, or well. */
export function fetchBySocket(
  port: number,
  { path, userAgent, headers = {} }: Request,
  { leaving, isTls = false }: { readonly leaving?: Leaving; readonly isTls?: boolean } = {},
): Promise<Received> {
  const lines = { Host: 'localhost', 'User-Agent': userAgent, Connection: 'close', ...headers }
  const text = Object.entries(lines).map(([name, value]) => `${name}: ${value}\r\n`)
  return new Promise((resolve) => {
    const parts: Buffer[] = []
    let byteLength = 0
    let isLeaving = false
    const socket = open(port, isTls)
    const settle = (): void => resolve(takeApart(Buffer.concat(parts)))
    socket.once(isTls ? 'secureConnect' : 'connect', () =>
      socket.write(`GET ${path} HTTP/1.1\r\n${text.join('')}\r\n`),
    )
    socket.on('data', (part: Buffer) => {
      parts.push(part)
      byteLength += part.length
      if (leaving === undefined || isLeaving || byteLength < leaving.after) return
      isLeaving = true
      if (leaving.how === 'reset') {
        socket.resetAndDestroy()
        return
      }
      socket.pause()
      void setTimeout(STALL_MS).then(() => socket.resume())
    })
    socket.on('error', settle)
    socket.on('close', settle)
  })
}

/** One request of HTTP/2 in clear text; leaving is a reset of its stream. */
export function fetchByHttp2(
  port: number,
  { path, userAgent, headers = {} }: Request,
  leaveAfter = Number.POSITIVE_INFINITY,
): Promise<Received> {
  return new Promise((resolve) => {
    const session = connectHttp2(`http://127.0.0.1:${port}`)
    const parts: Buffer[] = []
    let byteLength = 0
    let head = ''
    const stream = session.request({ ':path': path, 'user-agent': userAgent, ...headers })
    const settle = (): void => {
      session.destroy()
      resolve({ head, body: Buffer.concat(parts) })
    }
    stream.on('response', (found) => {
      head = JSON.stringify(found)
    })
    stream.on('data', (part: Buffer) => {
      parts.push(part)
      byteLength += part.length
      if (byteLength >= leaveAfter) stream.close(constants.NGHTTP2_CANCEL)
    })
    session.on('error', settle)
    stream.on('error', settle)
    stream.on('close', settle)
  })
}
