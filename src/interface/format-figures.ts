/** Numbers, sizes and spans of time as people read them. */

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const

/** Digits of a whole number in groups of three: `2,948,852`. */
export function formatCount(count: number): string {
  // Not toLocaleString: loading its locale data costs more than a whole question.
  return String(count).replace(/\B(?=(\d{3})+$)/g, ',')
}

/** `1 request`, `2 requests`. */
export function formatNoun(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? '' : 's'}`
}

/** A number of bytes in the largest unit that leaves at least 1 of it: `491 B`, `1.4 KiB`. */
export function formatByteLength(byteLength: number): string {
  let scaled = byteLength
  let unit = 0
  // 1023.95 would be shown as 1024.0 of the smaller unit.
  while (scaled >= 1023.95 && unit < UNITS.length - 1) {
    scaled /= 1024
    unit++
  }
  return `${unit === 0 ? scaled : scaled.toFixed(1)} ${UNITS[unit] ?? ''}`
}

/** The share of `part` in `whole`, rounded so that only all is `100%` and only nothing is `0%`. */
export function formatShare(part: number, whole: number): string {
  if (part === whole && whole > 0) return '100%'
  if (part === 0) return '0%'
  const tenths = Math.floor((part / whole) * 1000)
  if (tenths === 0) return '<0.1%'
  return `${(Math.min(tenths, 999) / 10).toFixed(1)}%`
}

/** Seconds as `0.21 s`, `12.3 s`, `3 min 20 s`, `2 h 5 min`. */
export function formatSeconds(seconds: number): string {
  if (seconds < 10) return `${seconds.toFixed(2)} s`
  if (seconds < 60) return `${seconds.toFixed(1)} s`
  const whole = Math.round(seconds)
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`
}

/** Bytes per second in decimal megabytes, as disks and networks are rated: `9.4 MB/s`. */
export function formatRate(byteLength: number, seconds: number): string {
  const rate = seconds > 0 ? byteLength / 1e6 / seconds : 0
  return `${rate >= 100 ? rate.toFixed(0) : rate.toFixed(1)} MB/s`
}
