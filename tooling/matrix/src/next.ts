// Next's standalone output: a route asks memlayer which backend serves. The output is copied to an empty folder, and
// the folder that it was made from is moved away, because Next writes the path of the build into a bundle.
import { spawn } from 'node:child_process'
import { cpSync, mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { runWell } from './command.js'
import type { Started } from './places.js'
import { sentences, versionOf } from './question.js'

const config = (isExternal: boolean): string => `export default {
  output: 'standalone',
  outputFileTracingIncludes: { '/*': ['./node_modules/@koromix/**/*'] },
  ${isExternal ? "serverExternalPackages: ['memlayer']," : ''}
}`

const route = `import { memory, OutOfMemoryError } from 'memlayer'
import { doctor } from 'memlayer/doctor'
export const dynamic = 'force-dynamic'
export function GET() {
  const { backend, how } = memory.choice
  let refused
  try { memory.sysAlloc(2 ** 46, null) } catch (error) { refused = error instanceof OutOfMemoryError }
  const said = process.env.MEMLAYER_ASK_DOCTOR ? '\\nDOCTOR ' + JSON.stringify(${sentences}) : ''
  return new Response('MEMLAYER ' + JSON.stringify({ backend, how, refused }) + said)
}`

/** Builds a site, starts its copy, and returns what its route says. */
export async function standalone({ lab, node, nodeName }: Started, isExternal: boolean): Promise<string> {
  const name = `next-${isExternal ? 'external' : 'bundled'}-${nodeName}`
  const site = await lab.install(name, ['memlayer', versionOf('next'), versionOf('react'), versionOf('react-dom')])
  mkdirSync(join(site, 'app', 'ask'), { recursive: true })
  writeFileSync(join(site, 'app', 'ask', 'route.js'), route)
  writeFileSync(join(site, 'app', 'layout.js'), 'export default ({ children }) => <html><body>{children}</body></html>')
  writeFileSync(join(site, 'next.config.mjs'), config(isExternal))
  const env = { NEXT_TELEMETRY_DISABLED: '1' }
  await runWell(node, [join('node_modules', 'next', 'dist', 'bin', 'next'), 'build'], {
    cwd: site,
    env,
    timeout: 300_000,
  })
  const copy = lab.folder(`${name}-copy`)
  cpSync(join(site, '.next', 'standalone'), copy, { recursive: true, verbatimSymlinks: true })
  renameSync(site, `${site}-away`)
  const port = await freePort()
  const server = spawn(node, ['server.js'], {
    cwd: copy,
    env: { ...process.env, ...env, PORT: String(port), HOSTNAME: '127.0.0.1' },
    stdio: 'ignore',
  })
  const ended = once(server, 'exit')
  try {
    return await ask(`http://127.0.0.1:${port}/ask`)
  } finally {
    server.kill()
    await ended
  }
}

/** Asks until the server listens, for 20 seconds at most. */
async function ask(url: string): Promise<string> {
  for (const until = performance.now() + 20_000; ;) {
    try {
      return await (await fetch(url)).text()
    } catch (error) {
      if (performance.now() > until) throw error
      await sleep(100)
    }
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
