/** The project's own source files as text, for the checks that no tool makes. */
import { readdirSync, readFileSync } from 'node:fs'
import { posix } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Absolute path of the project's root directory, with a closing slash. */
export const ROOT = fileURLToPath(new URL('../../', import.meta.url))

/** One file, its path relative to the root with `/` between the parts. */
export interface SourceFile {
  readonly path: string
  readonly text: string
}

/** One `import`, `export … from` or `import()` of a file; `import.meta.resolve` only names a file and is none. */
export interface ImportEdge {
  readonly from: string
  readonly specifier: string
  /** Path of the imported file in this project, or undefined for a package or a part of Node. */
  readonly target: string | undefined
}

const PROJECT_FOLDERS = ['src', 'workers', 'test', 'bench', 'fixtures', '.ci']
const TEXT_FILE = /\.(?:ts|mjs|json|md|py|txt|log|grit|yml)$|^\.ci\/run$|^[^/]*$/

/** Every text file of the project that is kept in version control, by folder and at the top. */
export function readSourceFiles(): SourceFile[] {
  const top = readdirSync(ROOT, { withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name !== 'package-lock.json')
    .map((entry) => entry.name)
  const nested = PROJECT_FOLDERS.flatMap((folder) =>
    readdirSync(posix.join(ROOT, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => posix.join(entry.parentPath, entry.name).slice(ROOT.length)),
  )
  return [...top, ...nested]
    .filter((path) => TEXT_FILE.test(path) && !path.includes('__pycache__'))
    .sort()
    .map((path) => ({ path, text: readFileSync(posix.join(ROOT, path), 'latin1') }))
}

const IMPORT =
  /(?:^|\n)\s*(?:import|export)\b[^'"`;]*?\bfrom\s*['"]([^'"]+)['"]|(?:^|\n)\s*import\s*['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]/g

function resolveTarget(from: string, specifier: string): string | undefined {
  if (specifier.startsWith('.')) return posix.join(posix.dirname(from), specifier)
  const aliased = /^#(src|workers)\/(.*)\.js$/.exec(specifier)
  return aliased === null ? undefined : `${aliased[1]}/${aliased[2]}.ts`
}

/** What a file imports, types and re-exports included, in order of appearance. */
export function readImports(file: SourceFile): ImportEdge[] {
  const edges: ImportEdge[] = []
  for (const [, from, bare, dynamic] of file.text.matchAll(IMPORT)) {
    const specifier = from ?? bare ?? dynamic ?? ''
    edges.push({ from: file.path, specifier, target: resolveTarget(file.path, specifier) })
  }
  return edges
}

/** Name of the package behind a specifier, or undefined for Node's own parts and this project's files. */
export function packageOf(specifier: string): string | undefined {
  if (/^(?:node:|\.|#)/.test(specifier)) return undefined
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')
}
