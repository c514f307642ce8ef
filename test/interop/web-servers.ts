/** nginx and Apache with configurations of their own, on free ports, logging as the README says. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { ROOT } from '../support/source-tree.ts'
import { freePort } from './free-port.ts'

/** A server that runs. `http2Port` speaks HTTP/2 in clear text. */
export interface WebServer {
  readonly name: 'nginx' | 'apache'
  readonly port: number
  readonly http2Port: number
  readonly tlsPort: number
  readonly log: string
  /** The directive of the README, as it is configured. */
  readonly logFormat: string
  /** Ends it, when all is logged. */
  stop(): Promise<void>
}

/** What is served, and where the rest goes. */
export interface ServerFolders {
  readonly documents: string
  readonly folder: string
}

/** After so long without progress the server gives a client up. */
const GIVE_UP_SECONDS = 1
const APACHE_MODULES =
  'mpm_event authz_core unixd log_config logio http2 ssl socache_shmcb deflate filter setenvif'

/** The block of code of the README that configures a server's log. */
export function readmeFormat(language: 'nginx' | 'apache'): string {
  const readme = readFileSync(join(ROOT, 'README.md'), 'utf8')
  const block = new RegExp(`^ *\`\`\`${language}\\n([^]*?)^ *\`\`\``, 'm').exec(readme)?.[1]
  if (block === undefined) throw new Error(`the README has no block of ${language}`)
  return block.trim()
}

/** Makes the folders, which servers enter as users of their own, and a certificate. */
export function prepareFolders(folder: string): ServerFolders {
  chmodSync(folder, 0o755)
  const documents = join(folder, 'documents')
  mkdirSync(documents)
  for (const name of ['nginx', 'apache']) {
    mkdirSync(join(folder, name))
    chmodSync(join(folder, name), 0o777)
  }
  const files = ['-keyout', join(folder, 'key.pem'), '-out', join(folder, 'certificate.pem')]
  const request = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=localhost', '-days', '2']
  execFileSync('openssl', [...request, ...files], { stdio: 'ignore' })
  return { documents, folder }
}

/** Connects and asks nothing, which is not logged. */
async function untilItListens(port: number, server: ChildProcess, name: string): Promise<void> {
  for (let i = 0; i < 200 && server.exitCode === null; i++) {
    const isThere = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => {
        socket.destroy()
        resolve(true)
      })
      socket.on('error', () => resolve(false))
    })
    if (isThere) return
    await setTimeout(50)
  }
  server.kill('SIGKILL')
  throw new Error(`${name} did not start: ended with ${server.exitCode}`)
}

function stopper(server: ChildProcess, signal: NodeJS.Signals): () => Promise<void> {
  return async () => {
    const hasEnded = new Promise((resolve) => server.once('exit', resolve))
    server.kill(signal)
    await Promise.race([hasEnded, setTimeout(15_000, undefined, { ref: false })])
    server.kill('SIGKILL')
  }
}

/** Starts nginx; a line is logged when its transfer has ended. */
export async function startNginx(program: string, { documents, folder }: ServerFolders): Promise<WebServer> {
  const at = (name: string): string => join(folder, 'nginx', name)
  const [port, http2Port, tlsPort] = [await freePort(), await freePort(), await freePort()]
  const logFormat = readmeFormat('nginx')
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
  const user = process.getuid?.() === 0 ? 'user root;' : ''
  writeFileSync(
    at('nginx.conf'),
    `daemon off; worker_processes 1; pid ${at('pid')}; ${user}
events { worker_connections 128; }
http {
  ${logFormat}
  access_log ${at('access.log')} ranges;
  ${temporary.map((name) => `${name}_temp_path ${at(name)};`).join(' ')}
  send_timeout ${GIVE_UP_SECONDS}s; sendfile on; gzip_types *; gzip_min_length 1;
  ssl_certificate ${join(folder, 'certificate.pem')}; ssl_certificate_key ${join(folder, 'key.pem')};
  server {
    listen 127.0.0.1:${port} sndbuf=32k;
    listen 127.0.0.1:${http2Port} http2 sndbuf=32k;
    listen 127.0.0.1:${tlsPort} ssl sndbuf=32k;
    root ${documents};
    location /packed/ { gzip on; }
  }
}
`,
  )
  const server = spawn(program, ['-e', at('error.log'), '-p', folder, '-c', at('nginx.conf')], {
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  await untilItListens(port, server, 'nginx')
  const log = at('access.log')
  return { name: 'nginx', port, http2Port, tlsPort, log, logFormat, stop: stopper(server, 'SIGQUIT') }
}

/** Starts Apache; a line is logged when its transfer has ended. */
export async function startApache(program: string, { documents, folder }: ServerFolders): Promise<WebServer> {
  const at = (name: string): string => join(folder, 'apache', name)
  const [port, tlsPort] = [await freePort(), await freePort()]
  const logFormat = readmeFormat('apache')
  const modules = APACHE_MODULES.split(' ').flatMap((name) => {
    const path = `/usr/lib/apache2/modules/mod_${name}.so`
    // Some are a part of the program.
    return existsSync(path) ? [`LoadModule ${name}_module ${path}`] : []
  })
  const user = process.getuid?.() === 0 ? 'User www-data\nGroup www-data' : ''
  writeFileSync(
    at('apache.conf'),
    `${modules.join('\n')}
ServerRoot ${join(folder, 'apache')}
ServerName localhost
Listen 127.0.0.1:${port}
Listen 127.0.0.1:${tlsPort}
PidFile ${at('pid')}
Mutex file:${join(folder, 'apache')}
DefaultRuntimeDir ${join(folder, 'apache')}
ErrorLog ${at('error.log')}
${user}
TimeOut ${GIVE_UP_SECONDS}
SendBufferSize 32768
Protocols h2c http/1.1
DocumentRoot ${documents}
<Directory ${documents}>
  Require all granted
</Directory>
<VirtualHost 127.0.0.1:${tlsPort}>
  SSLEngine on
  SSLCertificateFile ${join(folder, 'certificate.pem')}
  SSLCertificateKeyFile ${join(folder, 'key.pem')}
</VirtualHost>
<Location /packed/>
  SetOutputFilter DEFLATE
</Location>
${logFormat}
CustomLog ${at('access.log')} ranges
`,
  )
  const server = spawn(program, ['-f', at('apache.conf'), '-DFOREGROUND'], {
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  await untilItListens(port, server, 'Apache')
  const log = at('access.log')
  return { name: 'apache', port, http2Port: port, tlsPort, log, logFormat, stop: stopper(server, 'SIGTERM') }
}
