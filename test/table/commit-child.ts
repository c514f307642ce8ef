/**
 * A process that commits. Usage: commit-child.ts DIRECTORY COUNT NAME [STEP]
 * Commits COUNT versions with one input and one file each, of names that begin with NAME, and prints their
 * numbers. With STEP it kills itself at that step of the first commit, as `kill -9` does.
 */
import { commit, readSnapshot } from '#src/table/table.js'
import { faultyFiles } from './faulty-files.ts'
import { append } from './sample-table.ts'

const [directory = '', count = '1', name = '', step] = process.argv.slice(2)
const kill = (): void => {
  process.kill(process.pid, 'SIGKILL')
  // The signal ends the process before anything else runs.
  for (;;);
}
for (let ordinal = 0; ordinal < Number(count); ordinal++) {
  const { version } = await readSnapshot(directory)
  const files = step === undefined ? {} : { files: faultyFiles({ step: Number(step), fault: kill }) }
  const committed = await commit(directory, {
    readVersion: version,
    actions: append(`${name}${ordinal}`),
    operation: 'WRITE',
    operationParameters: { mode: 'Append' },
    recheck: (newer) => {
      if (newer.transactions.has(`sha256:${name}${ordinal}`))
        throw new Error('somebody has committed this already')
    },
    ...files,
  })
  process.stdout.write(`${committed}\n`)
}
