/** Reads the time of a line, the slow and obvious way; a part of the oracle of records. */

type Fields = ReadonlyMap<string, string>

function daysOf(year: number, month: number, day: number): number | undefined {
  const date = new Date(Date.UTC(year, month - 1, day))
  const isSame =
    date.getUTCFullYear() === year && date.getUTCMonth() === month - 1 && date.getUTCDate() === day
  return isSame && year >= 1970 ? date.getTime() / 1000 : undefined
}

function secondsOf(text: string): number | undefined {
  const match = /^(\d\d):(\d\d):(\d\d)(?:\.\d{1,9})?$/.exec(text)
  if (match === null) return undefined
  const [hours, minutes, seconds] = match.slice(1).map(Number)
  if ((hours ?? 99) > 23 || (minutes ?? 99) > 59 || (seconds ?? 99) > 59) return undefined
  return (hours ?? 0) * 3600 + (minutes ?? 0) * 60 + (seconds ?? 0)
}

function zoneOf(text: string): number | undefined {
  if (text === '' || text === 'Z') return 0
  const match = /^([+-])(\d\d):?(\d\d)$/.exec(text)
  if (match === null || Number(match[2]) > 23 || Number(match[3]) > 59) return undefined
  return (match[1] === '+' ? 1 : -1) * (Number(match[2]) * 3600 + Number(match[3]) * 60)
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/** Seconds of any shape of instant. */
function instantOf(whole: string): number | undefined {
  const text = /^\[(.+)\]$/s.exec(whole)?.[1] ?? whole
  const iso = /^(\d{4})-(\d\d)-(\d\d)[T ](\d\d:\d\d:\d\d(?:\.\d{1,9})?)(.*)$/s.exec(text)
  const clf = /^(\d\d)\/(\w{3})\/(\d{4}):(\d\d:\d\d:\d\d) (.*)$/s.exec(text)
  let seconds: number | undefined
  if (iso !== null || clf !== null) {
    const month = clf === null ? Number(iso?.[2]) : MONTHS.indexOf(clf[2] ?? '') + 1
    const year = Number(iso?.[1] ?? clf?.[3])
    const day = Number(iso?.[3] ?? clf?.[1])
    const days = month === 0 ? undefined : daysOf(year, month, day)
    const time = secondsOf(iso?.[4] ?? clf?.[4] ?? '')
    const zoneText = iso?.[5] ?? clf?.[5] ?? '?'
    const zone = clf !== null && zoneText.length !== 5 ? undefined : zoneOf(zoneText)
    if (days === undefined || time === undefined || zone === undefined) return undefined
    seconds = days + time - zone
  } else if (/^\d{1,12}(?:\.\d{1,9})?$/.test(text)) {
    seconds = Number(text.split('.')[0])
  } else if (/^(?:\d{13}|\d{16}|\d{19})$/.test(text)) {
    seconds = Number(text.slice(0, 10))
  }
  return seconds === undefined || seconds < 0 || seconds > 253402300799 ? undefined : seconds
}

/** Seconds of the line's time, or which part of it is wrong. */
export function momentOf(fields: Fields): number | 'BAD_DATE' | 'BAD_TIME' {
  if ((fields.get('instant') ?? '') !== '') return instantOf(fields.get('instant') ?? '') ?? 'BAD_TIME'
  const date = /^(\d{4})-(\d\d)-(\d\d)$/.exec(fields.get('date') ?? '')
  const days = date === null ? undefined : daysOf(Number(date[1]), Number(date[2]), Number(date[3]))
  if (days === undefined) return 'BAD_DATE'
  const time = secondsOf(fields.get('time') ?? '')
  return time === undefined ? 'BAD_TIME' : days + time
}
