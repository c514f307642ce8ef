import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Spool } from '#src/engine/spool.js'
import { makeTempFolder, namesIn } from '../support/temp-folder.ts'

const spools = suite('spools')

async function contentOf(spool: Spool): Promise<Buffer> {
  const parts: Buffer[] = []
  await spool.copyTo((bytes) => {
    parts.push(Buffer.from(bytes))
    return Promise.resolve()
  })
  return Buffer.concat(parts)
}

spools('few bytes stay in memory', async () => {
  const folder = makeTempFolder()
  const spool = new Spool(join(folder, 'spool'))
  await spool.append(Uint8Array.of(1, 2))
  await spool.append(Uint8Array.of(3))
  assert.is(spool.byteLength, 3)
  assert.equal([...(await contentOf(spool))], [1, 2, 3])
  assert.equal(namesIn(folder), [])
})

spools('many bytes go to disk, come back in order, and leave no file', async () => {
  const folder = makeTempFolder()
  const spool = new Spool(join(folder, 'spool'))
  const expected: Buffer[] = []
  for (let i = 0; i < 60; i++) {
    const bytes = Buffer.alloc(700_001 + i, i)
    expected.push(bytes)
    await spool.append(bytes)
  }
  assert.equal(namesIn(folder), ['spool'])
  assert.is(spool.byteLength, Buffer.concat(expected).length)
  assert.ok((await contentOf(spool)).equals(Buffer.concat(expected)))
  await spool.discard()
  assert.equal(namesIn(folder), [])
})

spools.run()
