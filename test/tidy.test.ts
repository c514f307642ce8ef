/** Rules of the house that no tool checks. Each test lists every offender, so one run shows them all. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { packageOf, readImports, readSourceFiles, type SourceFile } from './support/source-tree.ts'

const LONGEST_FILE_LINES = 450

/** What each layer may import besides itself; biome.json says the same, this also covers suppressions. */
const LAYERS: ReadonlyMap<string, readonly string[]> = new Map([
  ['src/base', []],
  ['src/parquet', ['src/base']],
  ['src/log', ['src/base']],
  ['src/table', ['src/base', 'src/parquet']],
  ['src/delivery', ['src/base', 'src/parquet', 'src/log', 'src/table']],
  ['src/engine', ['src/base', 'src/parquet', 'src/log', 'src/table', 'src/delivery']],
  ['src/interface', ['src/base', 'src/parquet', 'src/log', 'src/table', 'src/delivery', 'src/engine']],
  ['src', ['src/base', 'src/parquet', 'src/log', 'src/table', 'src/delivery', 'src/engine', 'src/interface']],
  ['workers', ['src/base', 'src/engine']],
])

const files = readSourceFiles()
const typescript = files.filter((file) => file.path.endsWith('.ts'))
const product = typescript.filter((file) => /^(?:src|workers)\//.test(file.path))
const tidy = suite('tidy')

function layerOf(path: string): string {
  return /^src\/[^/]+(?=\/)/.exec(path)?.[0] ?? path.split('/')[0] ?? path
}

function offendersOf(among: readonly SourceFile[], find: (file: SourceFile) => readonly string[]): string[] {
  return among.flatMap((file) => find(file).map((what) => `${file.path}: ${what}`))
}

tidy('the tree is seen at all', () => {
  assert.ok(product.length >= 3, `only ${product.length} product files were found`)
  assert.ok(product.flatMap(readImports).length >= 1, 'no import was found')
})

tidy('a file imports its own layer and the layers below, nothing else of the project', () => {
  const offenders = offendersOf(product, (file) => {
    const own = layerOf(file.path)
    const allowed = [own, ...(LAYERS.get(own) ?? [])]
    return readImports(file)
      .filter((edge) => edge.target !== undefined && !allowed.includes(layerOf(edge.target)))
      .map((edge) => `imports ${edge.specifier}`)
  })
  assert.equal(offenders, [])
})

tidy('imports make no circle, types included', () => {
  const importsOf = new Map(
    product.map((file) => [file.path, readImports(file).flatMap((edge) => edge.target ?? [])]),
  )
  const settled = new Set<string>()
  const circles: string[] = []
  const visit = (path: string, trail: readonly string[]): void => {
    if (trail.includes(path)) circles.push([...trail.slice(trail.indexOf(path)), path].join(' > '))
    if (settled.has(path) || trail.includes(path)) return
    for (const next of importsOf.get(path) ?? []) visit(next, [...trail, path])
    settled.add(path)
  }
  for (const path of importsOf.keys()) visit(path, [])
  assert.equal(circles, [])
})

tidy('each third-party package has one importing file', () => {
  const importers = new Map<string, Set<string>>()
  for (const edge of product.flatMap(readImports)) {
    const name = packageOf(edge.specifier)
    if (name !== undefined) importers.set(name, (importers.get(name) ?? new Set()).add(edge.from))
  }
  const offenders = [...importers].filter(([, from]) => from.size > 1)
  assert.equal(
    offenders.map(([name, from]) => `${name}: ${[...from].join(', ')}`),
    [],
  )
})

tidy('a file is short enough to be read at once', () => {
  const offenders = offendersOf(typescript, (file) => {
    const lineCount = file.text.split('\n').length
    return lineCount > LONGEST_FILE_LINES ? [`${lineCount} lines`] : []
  })
  assert.equal(offenders, [])
})

tidy('no error is swallowed', () => {
  // A comment inside the block satisfies the linter, not this rule.
  const swallowed = /\bcatch\s*(?:\([^)]*\))?\s*\{(?:\s|\/\/[^\n]*\n|\/\*[\s\S]*?\*\/)*\}/g
  const offenders = offendersOf(typescript, (file) =>
    [...file.text.matchAll(swallowed)].map(([what]) => what),
  )
  assert.equal(offenders, [])
})

tidy('every export has a docstring, of its own or shared by the lines below it', () => {
  const exported =
    /^export (?:declare |abstract |async )*(?:function\*?|class|interface|type|const|let) (\w+)/
  const offenders = offendersOf(product, (file) => {
    const bare: string[] = []
    let previousName = ''
    let isDescribed = false
    for (const line of file.text.split('\n')) {
      // A decorator or a note to the compiler may stand between a docstring and its export.
      if (/^(?:\/\/ @ts-|@\w)/.test(line)) continue
      const name = exported.exec(line)?.[1]
      if (name === undefined) isDescribed = line.endsWith('*/')
      else if (!isDescribed && name !== previousName) bare.push(name)
      previousName = name ?? previousName
    }
    return bare
  })
  assert.equal(offenders, [])
})

tidy('every test file runs its suites', () => {
  const tests = typescript.filter((file) => file.path.endsWith('.test.ts'))
  assert.ok(tests.length >= 1)
  assert.equal(
    offendersOf(tests, (file) =>
      file.text.trimEnd().endsWith('.run()') ? [] : ['does not end with .run()'],
    ),
    [],
  )
})

tidy('no file names a path of somebody’s machine', () => {
  // The parts are joined here, so that this file does not hold what it looks for.
  const homes = ['work', 'farm', 'root', 'home/[a-z]{2,}', 'Users/[A-Za-z]+', 'tmp/[a-z0-9]+'].join('|')
  const machinePath = new RegExp(`(?<![\\w.])/(?:${homes})/`, 'g')
  assert.ok(machinePath.test(['', 'work', 'x'].join('/')))
  const offenders = offendersOf(files, (file) => [...file.text.matchAll(machinePath)].map(([what]) => what))
  assert.equal(offenders, [])
})

tidy('no promise is left in a comment', () => {
  const promise = new RegExp(
    ['TO' + 'DO', 'FIX' + 'ME', 'XX' + 'X'].map((word) => `\\b${word}\\b`).join('|'),
    'g',
  )
  const offenders = offendersOf(typescript, (file) => [...file.text.matchAll(promise)].map(([what]) => what))
  assert.equal(offenders, [])
})

tidy.run()
