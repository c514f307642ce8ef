/**
 * Loaded before the program (`--import`): counts what it does to the disk, and at one step lets happen what a
 * power failure, a person or a disk may do. The program itself is as it is.
 *
 * FAULT_STEP: which step, from 0. FAULT_KIND: a signal, which comes before the step is done, a code like EIO,
 * with which the step fails, or `short`: then each write takes a few bytes only. FAULT_LOG: a file to which
 * the names of the steps are written.
 */
import { appendFileSync, promises } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { constants } from 'node:os'
import { basename } from 'node:path'

const { FAULT_STEP, FAULT_KIND = 'none', FAULT_LOG } = process.env
const names = new Map()
let step = 0

function reach(name, path) {
  const own = step++
  if (FAULT_LOG !== undefined) appendFileSync(FAULT_LOG, `${name} ${basename(path)}\n`)
  if (own !== Number(FAULT_STEP)) return
  if (FAULT_KIND.startsWith('SIG')) process.kill(process.pid, FAULT_KIND)
  else if (FAULT_KIND !== 'short' && FAULT_KIND !== 'none') {
    throw Object.assign(new Error(`${FAULT_KIND}: injected, ${name}`), {
      code: FAULT_KIND,
      errno: -constants.errno[FAULT_KIND],
    })
  }
}

for (const name of ['mkdir', 'link', 'rename', 'unlink', 'rmdir', 'rm']) {
  const act = promises[name]
  promises[name] = async (...args) => {
    reach(name, String(args[0]))
    return await act(...args)
  }
}

const { open } = promises
const probe = await open(new URL(import.meta.url))
const prototype = Object.getPrototypeOf(probe)
await probe.close()
promises.open = async (path, ...args) => {
  reach('open', String(path))
  const handle = await open(path, ...args)
  names.set(handle, String(path))
  const { close } = handle
  handle.close = async () => {
    await close.call(handle)
    // Of a file that cannot be closed the system lets go all the same.
    reach('close', String(path))
  }
  return handle
}
for (const name of ['write', 'sync']) {
  const act = prototype[name]
  prototype[name] = async function (...args) {
    reach(name, names.get(this) ?? '?')
    if (name !== 'write' || FAULT_KIND !== 'short') return await act.apply(this, args)
    const [bytes, offset = 0, length = bytes.length - offset, position = null] = args
    return await act.call(this, bytes, offset, Math.min(length, 1 + (step % 7)), position)
  }
}
syncBuiltinESMExports()
