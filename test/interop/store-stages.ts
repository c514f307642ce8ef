/** A store at four moments of its life, each a copy of its own, with our answers at that moment. */
import { cpSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { OracleRequest } from '../../fixtures/log-oracle.ts'
import { logOf } from '../support/delivery-file.ts'
import { listStoreRuns, makeStoreQuestions, STORE_DATES } from '../support/store-logs.ts'
import { numberAt, runByteledger } from './byteledger.ts'

const COMPACTED_DATE = STORE_DATES[1] ?? ''

interface Stage {
  readonly name: string
  readonly path: string
  readonly requests: readonly OracleRequest[]
  /** Whether all files in the directory count: readers that know no Delta must then be right as well. */
  readonly isPlain: boolean
}

/** Builds the store by the command line alone, and returns what the Python programs need of each stage. */
export function prepareStores(folder: string): object[] {
  const store = join(folder, 'store')
  const runs = listStoreRuns(join(folder, 'store-logs'))
  const taken: OracleRequest[] = []
  const stages: object[] = []
  const take = (run: (typeof runs)[number] | undefined): void => {
    if (run === undefined) throw new Error('expected one more run')
    const report = runByteledger(['process', ...run.lay(), '--store', store, '--quiet', '--json'])
    const kept = numberAt(report, 'kept')
    if (kept !== run.requests.length) throw new Error(`${run.name}: took ${kept} of ${run.requests.length}`)
    taken.push(...run.requests)
  }
  const keep = (name: string, isPlain: boolean): void => {
    const path = join(folder, `store-${stages.length}`)
    cpSync(store, path, { recursive: true, preserveTimestamps: true })
    stages.push(describeStage({ name, path, requests: [...taken], isPlain }))
  }
  for (const run of runs.slice(0, -1)) take(run)
  keep('after some runs', true)
  runByteledger(['compact', '--store', store, '--date', COMPACTED_DATE, '--json'])
  keep('after compact', false)
  take(runs.at(-1))
  keep('after one more run', false)
  runByteledger(['vacuum', '--store', store, '--retain', '0s', '--json'])
  keep('after vacuum', true)
  return stages
}

function describeStage({ name, path, requests, isPlain }: Stage): object {
  const log = `${path}.log`
  writeFileSync(log, logOf(requests))
  const verdicts = new Set<unknown>()
  const questions = makeStoreQuestions(requests).map((question) => {
    const { asset, ip, userAgent, range } = question
    const key = ['--asset', asset, '--ip', ip, '--user-agent', userAgent]
    const answer = runByteledger(['query', '--store', path, ...key, '--range', range.join('-'), '--json'])
    verdicts.add(answer['verdict'])
    return { ...question, coveredBytes: numberAt(answer, 'coveredBytes') }
  })
  for (const verdict of ['complete', 'partial', 'none'])
    if (!verdicts.has(verdict)) throw new Error(`${name}: no question is answered '${verdict}'`)
  const rows = numberAt(runByteledger(['inspect', path, '--json']), 'rows')
  return { name, path, log, rows, isPlain, questions }
}
