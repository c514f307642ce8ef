/** Takes lines of JSON apart by JSON.parse; a part of the oracle of records. */

/** Lists and objects within each other, that of the line not counted. */
const MAX_DEPTH = 64

/** Whether the wanted members, and the objects they stand in, stand once each in a valid line, and none lies too deep. */
function isFlat(line: string, wanted: readonly string[]): boolean {
  const paths = wanted.flatMap((path) =>
    path.split('.').map((_, i, names) => JSON.stringify(names.slice(0, i + 1))),
  )
  const tokens = line.match(/"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g) ?? []
  const found = new Map<string, number>()
  let deepest = 0
  let at = 0
  const skip = (path: readonly unknown[]): void => {
    deepest = Math.max(deepest, path.length)
    const close = tokens[at] === '{' ? '}' : ']'
    const isObject = close === '}'
    at++
    while (tokens[at] !== close) {
      const name: unknown = isObject ? JSON.parse(tokens[at] ?? '') : undefined
      if (isObject) at += 2
      const inner = [...path, name]
      const key = JSON.stringify(inner)
      found.set(key, (found.get(key) ?? 0) + 1)
      if (tokens[at] === '{' || tokens[at] === '[') skip(inner)
      at++
      if (tokens[at] === ',') at++
    }
  }
  skip([])
  return deepest <= MAX_DEPTH && paths.every((path) => (found.get(path) ?? 0) <= 1)
}

/** Escapes of a member become bytes; raw bytes above 127 go through JSON.parse as private characters. */
export function jsonBytes(text: string): string {
  const bytes: Buffer[] = []
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0
    if (code >= 0xf080 && code <= 0xf0ff) bytes.push(Buffer.from([code - 0xf000]))
    else if (code >= 0xd800 && code <= 0xdfff)
      bytes.push(Buffer.from([0xe0 | (code >> 12), 0x80 | ((code >> 6) & 0x3f), 0x80 | (code & 0x3f)]))
    else bytes.push(Buffer.from(character))
  }
  return Buffer.concat(bytes).toString('latin1')
}

/** The wanted members of a line by slot; undefined when it is not one object that has each of them at most once. */
export function splitJson(
  line: string,
  slots: Readonly<Record<string, string>>,
): Map<string, string> | undefined {
  let value: unknown
  try {
    // Numbers keep their spelling as text.
    const safe = line.replace(/[\x80-\xff]/g, (byte) => String.fromCharCode(0xf000 + byte.charCodeAt(0)))
    const spelled = safe.replace(/"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?/gs, (token) =>
      token.startsWith('"') || !isJsonNumber(token) ? token : `"${token}"`,
    )
    JSON.parse(safe)
    value = JSON.parse(spelled)
  } catch {
    return undefined
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  if (!isFlat(line, Object.keys(slots))) return undefined
  const fields = new Map<string, string>()
  for (const [path, slot] of Object.entries(slots)) {
    let member: unknown = value
    for (const name of path.split('.')) {
      member =
        typeof member === 'object' && member !== null && !Array.isArray(member)
          ? Reflect.get(member, name)
          : undefined
    }
    if (typeof member === 'object' && member !== null) return undefined
    if (member === undefined || member === null) continue
    fields.set(slot, typeof member === 'string' ? jsonBytes(member) : String(member))
  }
  return fields
}

function isJsonNumber(text: string): boolean {
  return /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?$/.test(text)
}
