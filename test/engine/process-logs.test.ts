import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { scanAllRuns } from '#src/delivery/scan-all.js'
import { openFile } from '#src/delivery/store.js'
import { type ProcessOptions, type ProcessReport, processLogs } from '#src/engine/process-logs.js'
import { readLogPlainly } from '../../fixtures/log-oracle.ts'
import { ROOT } from '../support/source-tree.ts'
import { makeTempFolder, namesIn } from '../support/temp-folder.ts'

const runs = suite('process logs')
const SAMPLE = join(ROOT, 'fixtures', 'sample.log')
const HEADER = '# date\ttimestamp\tip_address\tuser_agent\trequest\tstatus\tbyte_range\n'
const line = (range: string): string => `2024-02-29\t23:59:59\t192.0.2.1\tagent\t/asset\t206\t${range}\n`
let fileCount = 0
const manyFolder = makeTempFolder()

function inNewFolder(name: string): string {
  return join(makeTempFolder(), name)
}

function writeInput(content: string | Uint8Array, name = `input-${fileCount++}.log`): string {
  const path = inNewFolder(name)
  writeFileSync(path, content)
  return path
}

function run(inputs: readonly string[], options: Partial<ProcessOptions> = {}): Promise<ProcessReport> {
  return processLogs({
    inputs,
    out: inNewFolder('out.parquet'),
    threads: 1,
    maxRejects: { kind: 'count', count: 0 },
    ...options,
  })
}

function outputOf(report: ProcessReport): Buffer {
  const [file] = report.files
  assert.ok(file)
  const bytes = readFileSync(file.path)
  assert.is(bytes.length, file.bytes)
  return bytes
}

/** Every run of a file as text, sorted: what is in it, whatever its row groups are. */
function runsOf(report: ProcessReport): string[] {
  const [file] = report.files
  assert.ok(file)
  const parquet = openFile(file.path)
  try {
    return [...scanAllRuns(parquet)].map((found) => JSON.stringify(found)).sort()
  } finally {
    parquet.close()
  }
}

runs('the counts add up and the rows are the sum of the range lengths', async () => {
  const report = await run([SAMPLE])
  const rejected = Object.values(report.rejected).reduce((a, b) => a + b, 0)
  assert.is(report.lines, report.comments + report.blank + report.kept + report.skipped.status + rejected)
  const requests = readLogPlainly(readFileSync(SAMPLE)).requests
  assert.is(report.kept, requests.length)
  assert.is(
    report.rows,
    requests.reduce((sum, { first, last }) => sum + last - first + 1, 0),
  )
})

runs('the output is the same bytes for any number of threads', async () => {
  const alone = await run([SAMPLE], { shardByteLength: 200_000 })
  for (const threads of [2, 3]) {
    const together = await run([SAMPLE], { shardByteLength: 200_000, threads, threadsFromByteLength: 0 })
    assert.ok(outputOf(together).equals(outputOf(alone)), `${threads} threads`)
  }
})

runs('a line that crosses a shard boundary is encoded exactly once, wherever the cut is', async () => {
  const text = readFileSync(SAMPLE).subarray(0, 3000)
  const input = writeInput(text)
  const options = { maxRejects: { kind: 'count', count: 1 } } as const
  const whole = runsOf(await run([input], options))
  for (const shardByteLength of [1, 7, 131, 199, 200, 201, 1500]) {
    assert.equal(
      runsOf(await run([input], { ...options, shardByteLength })),
      whole,
      `${shardByteLength} bytes a shard`,
    )
  }
})

runs('gzip, several members, and many inputs hold what the plain file holds', async () => {
  const text = readFileSync(SAMPLE)
  const plain = runsOf(await run([SAMPLE]))
  const middle = text.indexOf('\n', text.length / 2) + 1
  const members = Buffer.concat([gzipSync(text.subarray(0, middle)), gzipSync(text.subarray(middle))])
  assert.equal(runsOf(await run([writeInput(members, 'two-members')])), plain)
  assert.equal(runsOf(await run([writeInput(members, 'small-shards')], { shardByteLength: 150_000 })), plain)
  const halves = [writeInput(text.subarray(0, middle)), writeInput(gzipSync(text.subarray(middle)))]
  assert.equal(runsOf(await run(halves)), plain)
})

runs('text is cut where the same bytes in a plain file are, so that the output is the same', async () => {
  const text = readFileSync(SAMPLE)
  const long = Buffer.concat([text.subarray(0, 400_000), Buffer.alloc(900_000, 'x'), text.subarray(400_000)])
  for (const [content, shardByteLength] of [
    [text, 150_000],
    [text, 1_000_000],
    [long, 150_000],
    [long, 600_000],
  ] as const) {
    const options = { shardByteLength, maxRejects: { kind: 'count', count: 2 } } as const
    const plain = await run([writeInput(content), SAMPLE], options)
    const zipped = await run([writeInput(gzipSync(content)), SAMPLE], options)
    assert.ok(outputOf(zipped).equals(outputOf(plain)), `${content.length} in shards of ${shardByteLength}`)
    assert.equal(zipped.rejected, plain.rejected)
  }
})

runs('thousands of gzip inputs are opened one after the other', async () => {
  const inputs = Array.from({ length: 1200 }, (_, i) => `1.2.3.${i & 255}`).map((ip, i) => {
    const path = join(manyFolder, `${i}.gz`)
    writeFileSync(path, gzipSync(line('0-4').replace('192.0.2.1', ip)))
    return path
  })
  const openFiles = (): number => (existsSync('/proc/self/fd') ? readdirSync('/proc/self/fd').length : 0)
  const openBefore = openFiles()
  let mostOpen = 0
  const watch = setInterval(() => {
    mostOpen = Math.max(mostOpen, openFiles() - openBefore)
  }, 1)
  const report = await run(inputs)
  clearInterval(watch)
  assert.is(report.kept, 1200)
  assert.ok(mostOpen < 200, `${mostOpen} files open at a time`)
})

runs('threads take text as well as files', async () => {
  const input = writeInput(gzipSync(readFileSync(SAMPLE)))
  const options = { shardByteLength: 200_000, threadsFromByteLength: 0 }
  const alone = await run([input, SAMPLE], options)
  assert.ok(outputOf(await run([input, SAMPLE], { ...options, threads: 2 })).equals(outputOf(alone)))
})

runs('inputs without any line make a file without rows', async () => {
  for (const content of ['', HEADER, '\n\n', '\r\n']) {
    const report = await run([writeInput(content)])
    assert.is(report.rows, 0)
    assert.equal(runsOf(report), [])
  }
})

runs('columns are found by name, in every input by its own header', async () => {
  const reordered = '# request\tstatus\tbyte_range\tuser_agent\tip_address\ttimestamp\tdate\n'
  const other = writeInput(`${reordered}/asset\t206\t5-9\tagent\t192.0.2.1\t23:59:59\t2024-02-29\n`)
  const report = await run([writeInput(HEADER + line('0-4')), other])
  assert.is(report.rows, 10)
  assert.is(report.kept, 2)
})

runs('another header in mid-file is an error that names its line, not a wrong answer', async () => {
  const swapped = HEADER.replace('user_agent\trequest', 'request\tuser_agent')
  const input = writeInput(HEADER + line('0-4') + swapped + line('5-9'))
  await fails(run([input]), /line 3/)
  await fails(run([input], { shardByteLength: 80 }), /line 3/)
  await fails(run([writeInput(gzipSync(readFileSync(input)))]), /line 3/)
  const same = await run([writeInput(HEADER + line('0-4') + HEADER + line('5-9'))])
  assert.is(same.kept, 2)
})

runs('more comments that may be headers than can be looked at are an error too', async () => {
  const input = writeInput(HEADER + line('0-4') + '# a\tcomment\n'.repeat(1025) + line('5-9'))
  await fails(run([input]), /few comments/)
  const few = await run([writeInput(HEADER + line('0-4') + '# a\tcomment\n'.repeat(1024) + line('5-9'))])
  assert.is(few.kept, 2)
})

runs('a header that misses a column, or has one twice, is refused', async () => {
  await fails(run([writeInput(HEADER.replace('\tstatus', ''))]), /status/)
  await fails(run([writeInput(HEADER.replace('timestamp', 'date'))]), /"date" twice/)
})

runs('rejected lines are counted, placed and limited; a failed run leaves nothing', async () => {
  const text = HEADER + line('0-4') + line('9-0') + line('5-9') + line('1e3')
  const out = inNewFolder('out.parquet')
  const rejectsPath = inNewFolder('rejects.ndjson')
  const input = writeInput(text)
  await fails(
    run([input], { out, maxRejects: { kind: 'count', count: 1 } }),
    /BAD_RANGE 2[\s\S]*line 3[\s\S]*line 5/,
  )
  await fails(run([input], { out, maxRejects: { kind: 'share', share: 0.01 } }), /at most 1%/)
  assert.equal(namesIn(join(out, '..')), [])
  const report = await run([input], {
    out,
    rejectsPath,
    shardByteLength: 70,
    maxRejects: { kind: 'share', share: 0.5 },
  })
  assert.equal(report.rejected, { BAD_RANGE: 2 })
  const listed = readFileSync(rejectsPath, 'utf8')
    .trim()
    .split('\n')
    .map((each) => JSON.parse(each))
  assert.equal(
    listed.map(({ line: number, reason, text: found }) => [number, reason, `${found}\n`]),
    [
      [3, 'BAD_RANGE', line('9-0')],
      [5, 'BAD_RANGE', line('1e3')],
    ],
  )
  for (const { byteOffset, byteLength, text: found } of listed) {
    assert.is(text.slice(byteOffset, byteOffset + byteLength), found)
  }
})

runs('a line of megabytes costs no memory and no neighbour, plain or gzip, whatever the shards', async () => {
  const text = `${HEADER}${line('0-4')}${'x'.repeat(10_000_000)}\n${line('5-9')}`
  const options = { maxRejects: { kind: 'count', count: 1 } } as const
  for (const shardByteLength of [300_000, 32_000_000]) {
    for (const input of [writeInput(text), writeInput(gzipSync(text))]) {
      const report = await run([input], { ...options, shardByteLength })
      assert.equal([report.lines, report.kept, report.rejected], [4, 2, { LONG_LINE: 1 }])
    }
  }
})

runs('an input that cannot be read whole is an error, and nothing is written', async () => {
  const out = inNewFolder('out.parquet')
  const folder = join(out, '..')
  const zipped = gzipSync(readFileSync(SAMPLE))
  const corrupt = Buffer.from(zipped)
  corrupt[5000] = (corrupt[5000] ?? 0) ^ 0x55
  await fails(run([writeInput(zipped.subarray(0, 9000))], { out }), /whole gzip file/)
  await fails(run([writeInput(corrupt)], { out }), /whole gzip file/)
  await fails(run([join(folder, 'missing.log')], { out }), /cannot open .*missing\.log/)
  await fails(run([folder], { out }), /found a directory/)
  await fails(run([SAMPLE], { out: join(folder, 'no', 'such', 'folder.parquet') }), /cannot create/)
  assert.equal(namesIn(folder), [])
})

runs('neither output nor list of rejects replaces an input, or each other', async () => {
  const input = writeInput(HEADER + line('0-4'), 'log.parquet')
  const out = inNewFolder('out.parquet')
  await fails(run([input], { out: input }), /one of the inputs/)
  await fails(run([input], { rejectsPath: join(input, '..', '.', 'log.parquet') }), /one of the inputs/)
  await fails(run([input], { out, rejectsPath: out }), /what --out names/)
  assert.is(readFileSync(input, 'utf8'), HEADER + line('0-4'))
})

runs('an earlier output stays as it is until the new one is whole', async () => {
  const out = inNewFolder('out.parquet')
  await run([SAMPLE], { out })
  const before = readFileSync(out)
  await fails(run([writeInput('nonsense\n')], { out }), /BAD_FIELDS/)
  assert.ok(readFileSync(out).equals(before))
  assert.equal(namesIn(join(out, '..')), ['out.parquet'])
})

async function fails(promise: Promise<unknown>, message: RegExp): Promise<void> {
  try {
    await promise
  } catch (error) {
    assert.instance(error, Error)
    assert.match(error instanceof Error ? error.message : '', message)
    return
  }
  assert.unreachable(`expected a failure like ${message}`)
}

runs.run()
