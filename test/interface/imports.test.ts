import { readFileSync } from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'

const test = suite('what a command loads')

/** Modules that a file loads at once, and those that these load: type imports and `import()` are left out. */
function loadedBy(path: string): Set<string> {
  const found = new Set<string>()
  const visit = (url: URL): void => {
    if (found.has(url.href)) return
    found.add(url.href)
    const source = readFileSync(url, 'utf8')
    for (const match of source.matchAll(
      /^(?:import|export) (?!type )[^;]*?from '([^']+)'|^import '([^']+)'/gms,
    )) {
      const name = match[1] ?? match[2] ?? ''
      if (name.startsWith('.')) visit(new URL(name, url))
      else found.add(name)
    }
  }
  visit(new URL(path, import.meta.url))
  return found
}

const isHeavy = (name: string) => /^(piscina|thrift|snappyjs)\b|\/src\/engine\//.test(name)

test('a question loads neither the engine nor the pool nor thrift', () => {
  const loaded = [...loadedBy('../../src/interface/run-query.ts')]
  assert.ok(
    loaded.some((name) => name.endsWith('/src/delivery/answer.ts')),
    'the imports are found',
  )
  assert.equal(loaded.filter(isHeavy), [])
})

test('the layout of a file is read without the engine, the pool and thrift', () => {
  assert.equal([...loadedBy('../../src/interface/run-inspect.ts')].filter(isHeavy), [])
})

test('the version and the choice of a command load no command', () => {
  const loaded = [...loadedBy('../../src/cli.ts')]
  const files = loaded
    .filter((name) => name.startsWith('file:'))
    .map((name) => name.slice(name.indexOf('/src/')))
  assert.equal(files, ['/src/cli.ts', '/src/base/version.ts'])
})

test('one file knows commander', () => {
  for (const command of ['query', 'process', 'inspect']) {
    assert.not.ok(loadedBy(`../../src/interface/run-${command}.ts`).has('commander'))
  }
})

test.run()
