/** DELTA_BINARY_PACKED decoded value by value with BigInt, as the specification reads: an oracle for pages. */

/** All values of a page that is not compressed, and how many bytes of it were used. */
export function decodeDeltaPlainly(page: Uint8Array): {
  readonly values: bigint[]
  readonly byteLength: number
} {
  let at = 0
  const byte = (): number => {
    const value = page[at++]
    if (value === undefined) throw new Error('the page ends too early')
    return value
  }
  const uleb128 = (): bigint => {
    let result = 0n
    for (let shift = 0n; ; shift += 7n) {
      const next = byte()
      result |= BigInt(next & 127) << shift
      if (next < 128) return result
    }
  }
  const zigzag = (): bigint => {
    const code = uleb128()
    return (code >> 1n) ^ -(code & 1n)
  }
  const blockValues = Number(uleb128())
  const miniblocks = Number(uleb128())
  const valueCount = Number(uleb128())
  let value = zigzag()
  const values = [value]
  while (values.length < valueCount) {
    const minDelta = zigzag()
    const widths = Array.from({ length: miniblocks }, byte)
    for (const width of widths) {
      if (values.length === valueCount) {
        if (width !== 0) throw new Error('a miniblock without values has a width')
        continue
      }
      const perMiniblock = blockValues / miniblocks
      let packed = 0n
      for (let i = 0; i < (perMiniblock * width) / 8; i++) packed |= BigInt(byte()) << BigInt(8 * i)
      const mask = (1n << BigInt(width)) - 1n
      for (let i = 0; i < perMiniblock && values.length < valueCount; i++) {
        value += minDelta + ((packed >> BigInt(i * width)) & mask)
        values.push(value)
      }
    }
  }
  return { values, byteLength: at }
}
