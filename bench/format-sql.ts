/** How DuckDB reads each log format best: its readers where they fit, else lines and a regular expression. */

const quote = (text: string): string => `'${text.replaceAll("'", "''")}'`

const CLOUDFRONT_NAMES =
  'date time x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem sc-status cs(Referer) cs(User-Agent) cs-uri-query cs(Cookie) x-edge-result-type x-edge-request-id x-host-header cs-protocol cs-bytes time-taken x-forwarded-for ssl-protocol ssl-cipher x-edge-response-result-type cs-protocol-version fle-status fle-encrypted-fields c-port time-to-first-byte x-edge-detailed-result-type sc-content-type sc-content-len sc-range-start sc-range-end'.split(
    ' ',
  )
const REALTIME_NAMES =
  'timestamp c-ip sc-status sc-bytes cs-method cs-uri-stem x-edge-request-id cs(User-Agent) x-edge-result-type sc-content-len sc-range-start sc-range-end x-edge-detailed-result-type'.split(
    ' ',
  )
const W3C_NAMES =
  'date time c-ip cs-method cs-uri-stem cs-uri-query sc-status sc-bytes cs(User-Agent) sc(Content-Range)'.split(
    ' ',
  )

const columnsOf = (names: readonly string[]): string =>
  `{${names.map((name) => `${quote(name)}: 'VARCHAR'`).join(', ')}}`

function csv(log: string, names: readonly string[], delimiter: string, skip: number, quoting = ''): string {
  const options = `delim = ${delimiter}, header = false, quote = ${quote(quoting)}, escape = ${quote(quoting)}, nullstr = '-', auto_detect = false, skip = ${skip}`
  return `read_csv(${quote(log)}, ${options}, columns = ${columnsOf(names)})`
}

const json = (log: string, columns: string): string =>
  `read_json(${quote(log)}, format = 'newline_delimited', columns = ${columns})`

/** A line a row: no byte of a log is the delimiter. */
const lines = (log: string): string =>
  `read_csv(${quote(log)}, delim = '\\x01', header = false, quote = '', escape = '', auto_detect = false, columns = {line: 'VARCHAR'})`

const range = (column: string, part: number): string => `regexp_extract(${column}, '(\\d+)-(\\d+)', ${part})`

const good = (status: string, method: string): string =>
  `WHERE ${status} IN ('200', '206') AND ${method} = 'GET'`

const ofCloudFront = (from: string, time: string): string =>
  `SELECT ${time} AS time, "c-ip" AS ip, url_decode("cs(User-Agent)") AS user_agent, split_part("cs-uri-stem", '?', 1) AS request,
     "sc-range-start"::BIGINT AS first_byte, "sc-range-end"::BIGINT AS last_byte
   FROM ${from} ${good('"sc-status"', '"cs-method"')}`

/** Values of one line by one regular expression. */
function ofLines(log: string, pattern: string, names: readonly string[]): string {
  const list = names.map(quote).join(', ')
  return `SELECT f.time, f.ip, f.user_agent, split_part(f.target, '?', 1) AS request, ${range('f.range', 1)} AS first_byte, ${range('f.range', 2)} AS last_byte
    FROM (SELECT regexp_extract(line, ${quote(pattern)}, [${list}]) AS f FROM ${lines(log)}) ${good('f.status', 'f.method')}`
}

const COMBINED = '^(\\S+) \\S+ \\S+ \\[([^\\]]+)\\] "(\\S+) (\\S+)[^"]*" (\\d+) (\\S+) "[^"]*" "([^"]*)"'
const COMBINED_NAMES = ['ip', 'time', 'method', 'target', 'status', 'bytes', 'user_agent']

const JSON_SOURCES: Readonly<Record<string, (log: string) => string>> = {
  akamai: (log) =>
    `SELECT reqTimeSec AS time, cliIP AS ip, url_decode(UA) AS user_agent, reqPath AS request, ${range('range', 1)} AS first_byte, ${range('range', 2)} AS last_byte
     FROM ${json(log, "{reqTimeSec: 'VARCHAR', cliIP: 'VARCHAR', UA: 'VARCHAR', reqPath: 'VARCHAR', reqMethod: 'VARCHAR', statusCode: 'VARCHAR', range: 'VARCHAR', bytes: 'VARCHAR', overheadBytes: 'VARCHAR', objSize: 'VARCHAR', reqId: 'VARCHAR'}")} ${good('statusCode', 'reqMethod')}`,
  cloudflare: (log) =>
    `SELECT EdgeStartTimestamp AS time, ClientIP AS ip, ClientRequestUserAgent AS user_agent, split_part(ClientRequestURI, '?', 1) AS request,
       ${range('ResponseHeaders."content-range"', 1)} AS first_byte, ${range('ResponseHeaders."content-range"', 2)} AS last_byte
     FROM ${json(log, "{EdgeStartTimestamp: 'BIGINT', ClientIP: 'VARCHAR', ClientRequestUserAgent: 'VARCHAR', ClientRequestURI: 'VARCHAR', ClientRequestMethod: 'VARCHAR', EdgeResponseStatus: 'VARCHAR', EdgeResponseBodyBytes: 'BIGINT', RayID: 'VARCHAR', RequestHeaders: 'STRUCT(range VARCHAR)', ResponseHeaders: 'STRUCT(\"content-range\" VARCHAR)'}")} ${good('EdgeResponseStatus', 'ClientRequestMethod')}`,
  fastly: (log) =>
    `SELECT time, client_ip AS ip, user_agent, split_part(url, '?', 1) AS request, ${range('content_range', 1)} AS first_byte, ${range('content_range', 2)} AS last_byte
     FROM ${json(log, "{time: 'VARCHAR', client_ip: 'VARCHAR', user_agent: 'VARCHAR', url: 'VARCHAR', method: 'VARCHAR', status: 'VARCHAR', range: 'VARCHAR', content_range: 'VARCHAR', body_bytes: 'BIGINT', completed: 'VARCHAR', request_id: 'VARCHAR'}")} ${good('status', 'method')}`,
  json: (log) =>
    `SELECT ts AS time, client.ip AS ip, client.agent AS user_agent, split_part(url, '?', 1) AS request, ${range('res.range', 1)} AS first_byte, ${range('res.range', 2)} AS last_byte
     FROM ${json(log, "{ts: 'VARCHAR', client: 'STRUCT(ip VARCHAR, agent VARCHAR)', url: 'VARCHAR', method: 'VARCHAR', code: 'VARCHAR', res: 'STRUCT(range VARCHAR, bytes BIGINT)'}")} ${good('code', 'method')}`,
}

const SOURCES: Readonly<Record<string, (log: string) => string>> = {
  ...JSON_SOURCES,
  cloudfront: (log) => ofCloudFront(csv(log, CLOUDFRONT_NAMES, "'\\t'", 2), "date || 'T' || time"),
  'cloudfront-v2': (log) =>
    ofCloudFront(json(log, columnsOf(CLOUDFRONT_NAMES)), "date || 'T' || time").replaceAll('"::BIGINT', '"'),
  'cloudfront-realtime': (log) => ofCloudFront(csv(log, REALTIME_NAMES, "'\\t'", 0), 'timestamp'),
  w3c: (log) =>
    `SELECT date || 'T' || time AS time, "c-ip" AS ip, "cs(User-Agent)" AS user_agent, "cs-uri-stem" AS request,
       ${range('"sc(Content-Range)"', 1)} AS first_byte, ${range('"sc(Content-Range)"', 2)} AS last_byte
     FROM ${csv(log, W3C_NAMES, "' '", 2, '"')} ${good('"sc-status"', '"cs-method"')}`,
  nginx: (log) =>
    ofLines(log, `${COMBINED} \\S+ "[^"]*" "([^"]*)" "[^"]*" "([^"]*)"$`, [
      ...COMBINED_NAMES,
      'range',
      'completion',
    ]),
  apache: (log) =>
    ofLines(log, `${COMBINED} "[^"]*" "([^"]*)" "[^"]*" (\\S+) \\S+ (\\S)$`, [
      ...COMBINED_NAMES,
      'range',
      'body',
      'completion',
    ]),
}

/** A query that gives the good requests of a log with GET, with the columns that are kept of them. */
export function requestsSqlOf(format: string, log: string): string {
  const source = SOURCES[format]
  if (source === undefined) throw new Error(`expected a known format, found ${format}`)
  return source(log)
}
