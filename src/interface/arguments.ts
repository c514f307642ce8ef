/** The command line as data. The only file that knows commander. */

import { Command, CommanderError, InvalidArgumentError, Option } from 'commander'
import { Failure } from '../base/failure.ts'
import { FORMAT_NAMES } from './format-names.ts'
import { type CommandName, helpExamples } from './help-text.ts'
import type { Invocation } from './invocation.ts'

/** Reads the arguments after the script's path. Fails with `USAGE` for anything that is not ours. */
export function parseArguments(
  words: readonly string[],
  program: string,
  readVersion: () => string,
): Invocation {
  const found: Invocation[] = []
  let text = ''
  const root = new Command('byteledger')
    .description('Proves from CDN logs which bytes of an asset were delivered to whom, and when.')
    .version(readVersion(), '-V, --version', 'print the version')
  // A command that is named first is declared alone: declaring all takes longer than reading one.
  const named = COMMANDS.filter(([name]) => name === words[0])
  for (const [, add] of named.length > 0 ? named : COMMANDS)
    add(root, program, (invocation) => found.push(invocation))
  root.helpCommand('help [command]', 'print the help of a command')
  root.addHelpText('after', examplesText(undefined, program))
  for (const command of [root, ...root.commands]) {
    command.exitOverride()
    command.configureOutput({
      writeOut: (part) => {
        text += part
      },
      writeErr: (part) => {
        text += part
      },
      outputError: () => undefined,
    })
  }
  try {
    root.parse(words, { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    if (error.exitCode !== 0) throw usageFailure(error)
  }
  return found[0] ?? { command: 'text', text }
}

/** What `--store` takes where a store is read. */
const STORE_TEXT =
  'a store, a .parquet file, a directory of them, or a glob in quotes (default: data/delivery)'

type Report = (invocation: Invocation) => void

const COMMANDS: readonly (readonly [
  CommandName,
  (root: Command, program: string, report: Report) => void,
])[] = [
  ['process', addProcess],
  ['query', addQuery],
  ['report', addReport],
  ['export', addExport],
  ['sql', addSql],
  ['inspect', addInspect],
  ['compact', addCompact],
  ['vacuum', addVacuum],
  ['forget', addForget],
  ['tour', addTour],
]

function usageFailure(error: CommanderError): Failure {
  const isNoCommand = error.code === 'commander.help'
  const message = error.message.replace(/^error: /, '').replace(/\s*\n\s*/g, ' ')
  return new Failure(
    'USAGE',
    isNoCommand
      ? 'which command? expected process, query, report, export, sql, inspect, compact, vacuum, forget or tour'
      : message,
  )
}

function examplesText(command: CommandName | undefined, program: string): string {
  return `\nExamples:\n${helpExamples(command, program)
    .map((line) => `  ${line}`)
    .join('\n')}\n`
}

/** An option with a value that may be given once: a second one would silently replace the first. */
function valueOption(flags: string, description: string): Option {
  return new Option(flags, description).argParser((value: string, previous: unknown) => {
    if (previous !== undefined) throw new InvalidArgumentError('It was given twice, expected it once.')
    return value
  })
}

/** An option with a value that may be given several times. */
function listOption(flags: string, description: string): Option {
  return new Option(flags, description).argParser((value: string, previous: unknown) =>
    Array.isArray(previous) ? [...previous, value] : [value],
  )
}

function addProcess(root: Command, program: string, report: Report): void {
  root
    .command('process')
    .description('Add logs to a store, or turn them into one Parquet file: a row for each delivered byte.')
    .argument(
      '[inputs...]',
      'logs, directories of logs, globs in quotes, https:// and s3:// URLs; - for standard input; none for the bundled sample',
    )
    .addOption(valueOption('--out <file>', 'write one Parquet file instead, like day.parquet'))
    .addOption(valueOption('--store <dir>', 'the store to add to (default: data/delivery)'))
    .addOption(valueOption('--format <name>', 'format of the logs').choices(['auto', ...FORMAT_NAMES]))
    .addOption(valueOption('--fields <list>', 'names of the fields, for formats that do not name them'))
    .addOption(
      valueOption('--log-format <format>', "nginx's log_format or Apache's LogFormat, as configured"),
    )
    .addOption(valueOption('--asset <kind>', 'what the asset is: path (default), url, host+path, path+query'))
    .addOption(valueOption('--client <kind>', 'whose address counts: c-ip (default) or x-forwarded-for'))
    .option('--trust-requested', 'count what was asked for, even where less was sent')
    .addOption(
      valueOption('--max-inflate <bytes>', 'most bytes out of one compressed input (default: 64 GiB)'),
    )
    .addOption(valueOption('--threads <n>', 'threads at most (default: one a core, when they pay)'))
    .addOption(valueOption('--s3-endpoint <url>', 'where s3:// inputs lie, if not at Amazon'))
    .addOption(valueOption('--rejects <file>', 'write the rejected lines to this file'))
    .addOption(
      valueOption('--max-rejects <limit>', 'fail above this share or number, like 1% or 50 (default: 1%)'),
    )
    .option('--force', 'add logs to the store once more that it already has')
    .option('--json', 'print the counts as JSON')
    .option('--quiet', 'print nothing but errors (and the JSON, if asked for)')
    .addHelpText('after', examplesText('process', program))
    .action((inputs: readonly string[], options: Readonly<Record<string, unknown>>) => {
      report({
        command: 'process',
        options: {
          inputs,
          out: textOption(options, 'out'),
          store: textOption(options, 'store'),
          format: textOption(options, 'format'),
          fields: textOption(options, 'fields'),
          logFormat: textOption(options, 'logFormat'),
          asset: textOption(options, 'asset'),
          client: textOption(options, 'client'),
          trustRequested: options['trustRequested'] === true,
          maxInflate: textOption(options, 'maxInflate'),
          threads: textOption(options, 'threads'),
          s3Endpoint: textOption(options, 's3Endpoint'),
          rejects: textOption(options, 'rejects'),
          maxRejects: textOption(options, 'maxRejects'),
          force: options['force'] === true,
          json: options['json'] === true,
          quiet: options['quiet'] === true,
        },
      })
    })
}

function addQuery(root: Command, program: string, report: Report): void {
  root
    .command('query')
    .description(
      'Were these bytes of this asset delivered to this listener? Exit code 0: yes, 1: no, 2: no answer.',
    )
    .addOption(valueOption('--store <path>', STORE_TEXT))
    .addOption(valueOption('--asset <path>', 'the request path, as logged'))
    .addOption(listOption('--ip <address>', 'the client address, as logged, or a CIDR block; again for more'))
    .addOption(
      listOption('--ua, --user-agent <text>', "the user agent, as logged, or like 'VLC*'; again for more"),
    )
    .addOption(valueOption('--range <first-last>', 'byte positions, both inclusive, like 10-500'))
    .addOption(valueOption('--start <first>', 'the first position, with --end'))
    .addOption(valueOption('--end <last>', 'the last position, inclusive'))
    .option('--whole', 'every byte of the asset')
    .addOption(valueOption('--length <bytes>', 'length of the asset, with --whole (default: as observed)'))
    .addOption(
      valueOption('--since <time>', 'only requests from then on, like 2020-07-31 or 2020-07-31T16:46:07Z'),
    )
    .addOption(valueOption('--until <time>', 'only requests up to then, inclusive; a day means its end'))
    .addOption(valueOption('--batch <file>', 'many questions, NDJSON or CSV; - for standard input'))
    .option('--requests', 'list the requests behind the answer')
    .option('--explain', 'say what was read to find it')
    .option('--json', 'print the answer as JSON')
    .addHelpText('after', examplesText('query', program))
    .action((options: Readonly<Record<string, unknown>>) => {
      report({
        command: 'query',
        options: {
          store: textOption(options, 'store'),
          asset: textOption(options, 'asset'),
          ip: textList(options, 'ip'),
          userAgent: textList(options, 'userAgent'),
          range: textOption(options, 'range'),
          start: textOption(options, 'start'),
          end: textOption(options, 'end'),
          whole: options['whole'] === true,
          length: textOption(options, 'length'),
          since: textOption(options, 'since'),
          until: textOption(options, 'until'),
          batch: textOption(options, 'batch'),
          explain: options['explain'] === true,
          requests: options['requests'] === true,
          json: options['json'] === true,
        },
      })
    })
}

function addReport(root: Command, program: string, report: Report): void {
  root
    .command('report')
    .description(
      'Tables about a whole store: completion, retention, gaps, never, waste, downloads or summary.',
    )
    .argument('<kind>', 'which report')
    .addOption(valueOption('--store <path>', STORE_TEXT))
    .addOption(valueOption('--asset <path>', 'only this asset, as logged'))
    .addOption(valueOption('--since <time>', 'only requests from then on, like 2020-07-31'))
    .addOption(valueOption('--until <time>', 'only requests up to then, inclusive; a day means its end'))
    .addOption(
      valueOption('--length <bytes>', 'length of the asset, with --asset (default: as logged or observed)'),
    )
    .addOption(
      valueOption('--by <group>', 'waste: asset, user-agent or ip; downloads: asset or day (default: asset)'),
    )
    .addOption(
      valueOption('--window <kind>', 'downloads: calendar, first-touch or last-touch (default: calendar)'),
    )
    .addOption(
      valueOption('--bitrate <bits>', 'downloads: of the audio, like 128k (default: the whole asset counts)'),
    )
    .addOption(valueOption('--header-bytes <bytes>', 'downloads: bytes before the audio (default: 0)'))
    .addOption(
      valueOption(
        '--bots <file>',
        'downloads: parts of user agents to leave out, one a line (default: our own)',
      ),
    )
    .addOption(valueOption('--limit <rows>', 'rows of the text table (default: 50)'))
    .addOption(valueOption('--threads <n>', 'threads at most (default: one a core, when they pay)'))
    .option('--json', 'print the whole report as JSON')
    .option('--csv', 'print all rows as CSV')
    .option('--html', 'print a page with a drawing')
    .addHelpText('after', examplesText('report', program))
    .action((kind: string, options: Readonly<Record<string, unknown>>) => {
      report({
        command: 'report',
        options: {
          kind,
          store: textOption(options, 'store'),
          asset: textOption(options, 'asset'),
          since: textOption(options, 'since'),
          until: textOption(options, 'until'),
          length: textOption(options, 'length'),
          limit: textOption(options, 'limit'),
          by: textOption(options, 'by'),
          window: textOption(options, 'window'),
          bitrate: textOption(options, 'bitrate'),
          headerBytes: textOption(options, 'headerBytes'),
          bots: textOption(options, 'bots'),
          threads: textOption(options, 'threads'),
          json: options['json'] === true,
          csv: options['csv'] === true,
          html: options['html'] === true,
        },
      })
    })
}

function addExport(root: Command, program: string, report: Report): void {
  root
    .command('export')
    .description('Write what each listener holds, one row for each merged interval.')
    .addOption(valueOption('--store <path>', STORE_TEXT))
    .addOption(valueOption('--ranges <file>', 'the file to write: .parquet, .csv or .ndjson'))
    .addOption(valueOption('--asset <path>', 'only this asset, as logged'))
    .addOption(valueOption('--since <time>', 'only requests from then on, like 2020-07-31'))
    .addOption(valueOption('--until <time>', 'only requests up to then, inclusive; a day means its end'))
    .addHelpText('after', examplesText('export', program))
    .action((options: Readonly<Record<string, unknown>>) => {
      report({
        command: 'export',
        options: {
          store: textOption(options, 'store'),
          ranges: textOption(options, 'ranges'),
          asset: textOption(options, 'asset'),
          since: textOption(options, 'since'),
          until: textOption(options, 'until'),
        },
      })
    })
}

function addSql(root: Command, program: string, report: Report): void {
  root
    .command('sql')
    .description('Ask DuckDB, which must be installed beside: the views are bytes and ranges.')
    .argument('<statement>', 'SQL in quotes')
    .addOption(valueOption('--store <path>', STORE_TEXT))
    .option('--json', 'print the result as JSON')
    .option('--csv', 'print the result as CSV')
    .addHelpText('after', examplesText('sql', program))
    .action((statement: string, options: Readonly<Record<string, unknown>>) => {
      report({
        command: 'sql',
        options: {
          statement,
          store: textOption(options, 'store'),
          json: options['json'] === true,
          csv: options['csv'] === true,
        },
      })
    })
}

function addInspect(root: Command, program: string, report: Report): void {
  root
    .command('inspect')
    .description('Show the layout of a file or a store: rows, row groups, pages, encodings, bytes, indexes.')
    .argument('<path>', 'a .parquet file, a store, a directory of files, or a glob in quotes')
    .option('--files', 'list every file')
    .option('--verify', 'read every page and check its checksum')
    .option('--values', 'show the bounds of texts too: they are IP addresses, user agents and requests')
    .option('--json', 'print the layout as JSON')
    .addHelpText('after', examplesText('inspect', program))
    .action((path: string, options: Readonly<Record<string, unknown>>) => {
      const isOn = (name: string): boolean => options[name] === true
      report({
        command: 'inspect',
        options: {
          path,
          files: isOn('files'),
          verify: isOn('verify'),
          values: isOn('values'),
          json: isOn('json'),
        },
      })
    })
}

function addCompact(root: Command, program: string, report: Report): void {
  root
    .command('compact')
    .description('Make one sorted file of all files of a date, date after date; the answers stay the same.')
    .addOption(valueOption('--store <dir>', 'the store (default: data/delivery)'))
    .addOption(valueOption('--date <day>', 'only this day, like 2024-05-17'))
    .option('--json', 'print what was done as JSON')
    .addHelpText('after', examplesText('compact', program))
    .action((options: Readonly<Record<string, unknown>>) => {
      const [store, date] = [textOption(options, 'store'), textOption(options, 'date')]
      report({ command: 'compact', options: { store, date, json: options['json'] === true } })
    })
}

function addVacuum(root: Command, program: string, report: Report): void {
  root
    .command('vacuum')
    .description('Delete files that the store no longer refers to, and leftovers of runs that died.')
    .addOption(valueOption('--store <dir>', 'the store (default: data/delivery)'))
    .addOption(
      valueOption(
        '--retain <duration>',
        'keep what is younger, like 36h or 7d (default: 24h); below the length of a run only when none is under way',
      ),
    )
    .option('--dry-run', 'only list what would be deleted')
    .option('--json', 'print what was done as JSON')
    .addHelpText('after', examplesText('vacuum', program))
    .action((options: Readonly<Record<string, unknown>>) => {
      report({
        command: 'vacuum',
        options: {
          store: textOption(options, 'store'),
          retain: textOption(options, 'retain'),
          dryRun: options['dryRun'] === true,
          json: options['json'] === true,
        },
      })
    })
}

function addForget(root: Command, program: string, report: Report): void {
  root
    .command('forget')
    .description('Take an IP address out of the store for good: its requests, older versions, the log.')
    .addOption(valueOption('--store <dir>', 'the store (default: data/delivery)'))
    .addOption(valueOption('--ip <address>', 'the client address, as logged'))
    .option('--json', 'print what was done as JSON')
    .addHelpText('after', examplesText('forget', program))
    .action((options: Readonly<Record<string, unknown>>) => {
      const [store, ip] = [textOption(options, 'store'), textOption(options, 'ip')]
      report({ command: 'forget', options: { store, ip, json: options['json'] === true } })
    })
}

function addTour(root: Command, program: string, report: Report): void {
  root
    .command('tour')
    .description('Process the bundled sample and ask it four questions.')
    .addHelpText('after', examplesText('tour', program))
    .action(() => report({ command: 'tour' }))
}

function textOption(options: Readonly<Record<string, unknown>>, name: string): string | undefined {
  const value = options[name]
  return typeof value === 'string' ? value : undefined
}

function textList(options: Readonly<Record<string, unknown>>, name: string): readonly string[] {
  const values = options[name]
  return Array.isArray(values) ? values.filter((value) => typeof value === 'string') : []
}
