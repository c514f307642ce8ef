import { execFileSync } from 'node:child_process'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { csvText } from '#src/interface/csv.js'
import { escapeText, quoteForShell, toSafeJson } from '#src/interface/escape-text.js'
import { seededDraw } from '../support/random-runs.ts'

const test = suite('hostile text')

/** Every code unit that a terminal or a reader could obey, written down apart from the program's own list. */
function isDangerous(unit: number): boolean {
  return (
    unit < 0x20 ||
    (unit >= 0x7f && unit <= 0x9f) ||
    (unit >= 0x202a && unit <= 0x202e) ||
    (unit >= 0x2066 && unit <= 0x2069) ||
    INVISIBLE.some(([first, last]) => unit >= first && unit <= last)
  )
}

/** What is not to be seen: general category Cf, and what the standard lets a reader ignore (Unicode 15). */
const INVISIBLE: readonly (readonly [first: number, last: number])[] = [
  ...([
    [0xad, 0xad],
    [0x34f, 0x34f],
    [0x600, 0x605],
    [0x61c, 0x61c],
    [0x6dd, 0x6dd],
    [0x70f, 0x70f],
  ] as const),
  ...([
    [0x890, 0x891],
    [0x8e2, 0x8e2],
    [0x115f, 0x1160],
    [0x17b4, 0x17b5],
    [0x180b, 0x180f],
  ] as const),
  ...([
    [0x200b, 0x200f],
    [0x2028, 0x202e],
    [0x2060, 0x206f],
    [0x3164, 0x3164],
    [0xfe00, 0xfe0f],
  ] as const),
  ...([
    [0xfeff, 0xfeff],
    [0xffa0, 0xffa0],
    [0xfff0, 0xfffb],
    [0x110bd, 0x110bd],
    [0x110cd, 0x110cd],
  ] as const),
  ...([
    [0x13430, 0x1343f],
    [0x1bca0, 0x1bca3],
    [0x1d173, 0x1d17a],
    [0xe0000, 0xe0fff],
  ] as const),
]

test('no control character, bidirectional control or lone surrogate gets through, as text or as JSON', () => {
  for (let unit = 0; unit < 0x10000; unit++) {
    const text = `a${String.fromCharCode(unit)}b`
    const isLoneSurrogate = unit >= 0xd800 && unit <= 0xdfff
    if (isDangerous(unit) || isLoneSurrogate) {
      assert.is(escapeText(text), `a\\u${unit.toString(16).padStart(4, '0')}b`)
      for (const output of [escapeText(text), toSafeJson(text)]) {
        for (const character of output)
          assert.not.ok(isDangerous(character.charCodeAt(0)), `U+${unit.toString(16)}`)
      }
    } else {
      assert.is(escapeText(text), text, `U+${unit.toString(16)} is harmless`)
    }
    assert.is(JSON.parse(toSafeJson(text)), text)
  }
})

test('invisible characters beyond the first plane are seen, too', () => {
  for (let codePoint = 0x10000; codePoint <= 0x10ffff; codePoint++) {
    const text = `a${String.fromCodePoint(codePoint)}b`
    const shown = escapeText(text)
    assert.is(shown !== text, isDangerous(codePoint), `U+${codePoint.toString(16)}`)
    if (shown === text) continue
    assert.match(shown, /^a(?:\\u[0-9a-f]{4}){2}b$/)
    assert.is(JSON.parse(toSafeJson(text)), text)
  }
  assert.is(csvText('\u200b=1+1'), '\\u200b=1+1')
})

test('what is no danger stays as it is: letters of all scripts, emoji, backslashes', () => {
  const text = 'Ünïcode 日本語 😀 \\u00 C:\\x\\\\y'
  assert.is(escapeText(text), text)
  assert.is(
    escapeText('\u001b[31mred\u001b[0m\n\u202efdp.exe'),
    '\\u001b[31mred\\u001b[0m\\u000a\\u202efdp.exe',
  )
})

test('no two texts look the same', () => {
  const draw = seededDraw(7)
  const parts = ['\\', '\\\\', 'u202e', '\u202e', '\u0007', 'u0007', 'U202E', 'x']
  const seen = new Map<string, string>()
  for (let i = 0; i < 20_000; i++) {
    const text = Array.from({ length: draw(6) }, () => parts[draw(parts.length)] ?? '').join('')
    const shown = escapeText(text)
    assert.is(seen.get(shown) ?? text, text, shown)
    seen.set(shown, text)
  }
  assert.is(escapeText('\\u202ex'), '\\\\u202ex')
  assert.is(csvText("'=a"), "''=a")
  assert.is(csvText('=a'), "'=a")
  assert.is(csvText('-1.5'), '-1.5')
  assert.is(csvText('-1.5+2'), "'-1.5+2")
})

test('safe JSON means the same to every parser', () => {
  for (let seed = 1; seed <= 300; seed++) {
    const draw = seededDraw(seed)
    const text = Array.from({ length: 20 }, () =>
      String.fromCharCode(draw(4) === 0 ? draw(0x10000) : draw(0x100)),
    ).join('')
    assert.equal(JSON.parse(toSafeJson({ [text]: [text] })), { [text]: [text] }, `seed ${seed}`)
  }
})

test('a quoted argument is read back by a shell as it was', () => {
  const texts = [
    'plain-1.0/x',
    'it\'s $HOME `id` "x" \\n',
    '',
    '* ? ~ #',
    "a\u001b[31m\n\u009bb\\c'd",
    '-',
    '😀',
    'a\u200bb\u{e0041}c',
  ]
  const script = `printf '%s\\0' ${texts.map(quoteForShell).join(' ')}`
  assert.not.match(script, /\p{Cc}/u)
  const output = execFileSync('bash', ['-c', script], {
    encoding: 'utf8',
    env: { ...process.env, LC_ALL: 'C.UTF-8' },
  })
  assert.equal(output.split('\0').slice(0, -1), texts)
})

test.run()
