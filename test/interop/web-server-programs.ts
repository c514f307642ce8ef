/**
 * The programs of nginx and Apache, from Debian's packages when they are not there. No service is started: nginx is
 * unpacked under .cache/, and apache2-bin has none.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { ROOT } from '../support/source-tree.ts'

/** Where they are; undefined when they are missing and there is no way to get them here. */
export interface ServerPrograms {
  readonly nginx: string | undefined
  readonly apache: string | undefined
}

const UNPACKED = join(ROOT, '.cache', 'nginx')
const UNPACKED_NGINX = join(UNPACKED, 'usr', 'sbin', 'nginx')
const APT_DEADLINE_MS = 10 * 60_000

function find(name: string): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin', '/sbin']
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path))
}

function apt(args: readonly string[], folder?: string): boolean {
  const environment = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const options = { cwd: folder, env: environment, encoding: 'utf8', timeout: APT_DEADLINE_MS } as const
  return spawnSync('apt-get', args, options).status === 0
}

/** The name of the package that has the program changed between releases. */
function unpackNginx(): string | undefined {
  for (const name of ['nginx', 'nginx-light', 'nginx-core']) {
    rmSync(UNPACKED, { recursive: true, force: true })
    mkdirSync(UNPACKED, { recursive: true })
    if (!apt(['download', name], UNPACKED)) continue
    for (const archive of readdirSync(UNPACKED).filter((found) => found.endsWith('.deb')))
      spawnSync('dpkg-deb', ['-x', join(UNPACKED, archive), UNPACKED])
    if (existsSync(UNPACKED_NGINX)) return UNPACKED_NGINX
  }
  return undefined
}

function installApache(): string | undefined {
  apt(['install', '--yes', '--no-install-recommends', 'apache2-bin'])
  return find('apache2')
}

/** Fails when Debian's packages are at hand, but a program cannot be had from them. */
export function provideServerPrograms(): ServerPrograms {
  let nginx = find('nginx') ?? (existsSync(UNPACKED_NGINX) ? UNPACKED_NGINX : undefined)
  let apache = find('apache2')
  if ((nginx !== undefined && apache !== undefined) || find('apt-get') === undefined) return { nginx, apache }
  const isRoot = process.getuid?.() === 0
  console.log('fetching nginx and Apache ...')
  if (isRoot) apt(['update'])
  nginx ??= unpackNginx()
  if (apache === undefined && isRoot) apache = installApache()
  if (nginx === undefined)
    throw new Error(
      'nginx is missing, and apt-get gives none: install the package nginx, or run apt-get update',
    )
  if (apache === undefined)
    throw new Error(
      'Apache is missing, and only root can install it: apt-get install --no-install-recommends apache2-bin',
    )
  return { nginx, apache }
}
