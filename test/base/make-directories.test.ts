import { mkdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { makeDirectories } from '#src/base/make-directories.js'
import { makeTempFolder } from '../support/temp-folder.ts'

const directories = suite('making directories')

async function codeOf(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise
  } catch (cause) {
    return cause instanceof Error && 'code' in cause ? cause.code : cause
  }
  return 'made'
}

directories('all that is missing is made, and the first of it is told', async () => {
  const folder = makeTempFolder()
  assert.is(await makeDirectories(join(folder, 'a', 'b', 'c')), join(folder, 'a'))
  assert.ok(statSync(join(folder, 'a', 'b', 'c')).isDirectory())
  assert.is(await makeDirectories(join(folder, 'a', 'b', 'c')), undefined)
  assert.is(await makeDirectories(join(folder, 'a', 'd')), join(folder, 'a', 'd'))
})

directories(
  'a file in the way, and a file system that takes no names, are errors and no endless loop',
  async () => {
    const folder = makeTempFolder()
    writeFileSync(join(folder, 'file'), '')
    assert.is(await codeOf(makeDirectories(join(folder, 'file', 'below'))), 'ENOTDIR')
    mkdirSync(join(folder, 'there'))
    assert.is(await codeOf(makeDirectories('/proc/byteledger/below')), 'ENOENT')
  },
)

directories('two that make the same directory at once both succeed', async () => {
  const path = join(makeTempFolder(), 'x', 'y', 'z')
  await Promise.all(Array.from({ length: 8 }, () => makeDirectories(path)))
  assert.ok(statSync(path).isDirectory())
})

directories.run()
