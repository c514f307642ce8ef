/** RESULTS.md holds a page of each bench; one is replaced and the others stay. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'

const RESULTS = new URL('RESULTS.md', import.meta.url)

/** The text with the page put in the place of the one that has the same title, or behind all others. */
export function replacePage(text: string, page: string): string {
  const pages = text.split(/^(?=# )/m).filter((part) => part.trim() !== '')
  const titleOf = (part: string): string => part.slice(0, part.indexOf('\n'))
  const at = pages.findIndex((part) => titleOf(part) === titleOf(page))
  if (at === -1) pages.push(page)
  else pages[at] = page
  return `${pages.map((part) => part.trimEnd()).join('\n\n')}\n`
}

/** Puts a page into bench/RESULTS.md. */
export function writePage(page: string): void {
  const text = existsSync(RESULTS) ? readFileSync(RESULTS, 'utf8') : ''
  writeFileSync(RESULTS, replacePage(text, page))
}
