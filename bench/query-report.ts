/** Turns what the bench of questions measured into a page, with the targets and whether they were met. */
import { cpus } from 'node:os'
import type { QueryResult, StoreResult } from './query.ts'
import { figure, isMet, row, type Target } from './report.ts'

const MEBIBYTE = 2 ** 20

/** Every promised figure with what was found. */
export function listQueryTargets({ stores }: QueryResult): Target[] {
  return stores.flatMap(({ recipe: { shape }, cold, warm }): Target[] => {
    const limit = (1.5 * cold.idleSeconds + 0.06) * 1000
    const ratio = warm.duckdbWholeSeconds / warm.wholeSeconds
    return [
      {
        ...{
          name: `${shape}: a cold question, of 1.5 x 'node -e 0' plus 60 ms`,
          kind: 'at most',
          unit: 'ms',
        },
        ...{ found: cold.seconds * 1000, limit: Math.round(limit) },
      },
      {
        ...{ name: `${shape}: warm questions a second, each asked before`, kind: 'at least', unit: '/s' },
        ...{ found: warm.againPerSecond, limit: 1000 },
      },
      ...(shape === 'podcast'
        ? [
            {
              name: "podcast: speed against DuckDB's count of byte rows",
              found: ratio,
              limit: 100,
              kind: 'at least',
              unit: 'x',
            } as const,
          ]
        : []),
    ]
  })
}

const NOTES = [
  'Cold: a whole process, `query --json` beside a process that asks DuckDB for `count(distinct byte_num)` of the same',
  'file, rounds interleaved, medians. Warm: one process, one question after the other, of listeners drawn at random',
  'from the whole store, first each for the first time and then each again; and the whole of assets, beside DuckDB with',
  'one connection and two threads. Reports: `report --json` from the store of byte',
  'rows beside SQL that gives their total from the exported ranges, without the time of the export. What both sides',
  'said was compared and is equal. Only ratios of one run hold from machine to machine.',
]

/** The page as Markdown. */
export function renderQueryReport(
  result: QueryResult,
  environment: { readonly command: string; readonly date: string; readonly duckdbVersion: string },
): string {
  const processors = cpus()
  const isFull = result.size.name === 'full'
  return [
    '# Questions',
    '',
    `\`${environment.command}\` on ${environment.date}, size ${result.size.name}, ${result.size.roundCount} rounds;`,
    `Node ${process.versions.node}, DuckDB ${environment.duckdbVersion}, ${processors[0]?.model ?? 'unknown processor'}, ${processors.length} cores.`,
    '',
    ...NOTES,
    '',
    '## Targets of questions',
    '',
    row(['figure', 'target', 'found', '']),
    row(['---', '---:', '---:', '---']),
    ...listQueryTargets(result).map((target) =>
      row([
        target.name,
        `${target.kind} ${figure(target.limit)} ${target.unit}`,
        `${figure(target.found)} ${target.unit}`,
        isFull ? (isMet(target) ? 'pass' : '**miss**') : 'not judged',
      ]),
    ),
    '',
    ...result.stores.flatMap(storeSection),
  ].join('\n')
}

function storeSection(store: StoreResult): string[] {
  const { recipe, requests, rows, storeBytes, cold, warm, batch, reports, peaks } = store
  const count = (value: number): string => value.toLocaleString('en-US')
  return [
    `## Questions about ${recipe.shape}`,
    '',
    `${count(requests)} requests, ${count(rows)} rows in ${figure(storeBytes / 1e6)} MB; seed ${recipe.seed}.`,
    '',
    row(['figure', 'byteledger', 'DuckDB', 'its time : ours']),
    row(['---', '---:', '---:', '---:']),
    row([
      'a cold question, ms',
      cold.seconds * 1000,
      cold.duckdbSeconds * 1000,
      cold.duckdbSeconds / cold.seconds,
    ]),
    row(["'node -e 0', ms", cold.idleSeconds * 1000, '-', '-']),
    row(['warm questions a second, for the first time', warm.firstPerSecond, '-', '-']),
    row(['warm questions a second, again', warm.againPerSecond, '-', '-']),
    row([
      ...['the whole of an asset, warm, ms', warm.wholeSeconds * 1000, warm.duckdbWholeSeconds * 1000],
      warm.duckdbWholeSeconds / warm.wholeSeconds,
    ]),
    row(['peak of the warm process, MiB', warm.peakBytes / MEBIBYTE, '-', '-']),
    row([`${count(batch.questions)} questions in a batch, s`, batch.seconds, '-', '-']),
    row([`export of ${count(store.rangeCount)} ranges, s`, store.exportSeconds, '-', '-']),
    ...reports.map(({ name, seconds, duckdbSeconds }) =>
      row([`report ${name}, s`, seconds, duckdbSeconds, duckdbSeconds / seconds]),
    ),
    '',
    row(['peak memory of the process', 'MiB']),
    row(['---', '---:']),
    ...peaks.map(({ name, peakBytes }) => row([name, peakBytes / MEBIBYTE])),
    '',
  ]
}
