// `npm run docs`: builds the site and serves it on loopback. With `--build` it only builds it, and with `--check` it
// builds it and runs the tests in `check`, which read every page and open some of them in Chromium.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { checkout } from '@memlayer/checks/workspace'
import { base, siteFolder } from './folders.js'
import { DownloadError } from './generator.js'
import { serve, type Served } from './serve.js'

const usage = `usage: npm run docs [-- --build | --check | --port <number>]
  builds the site from the documents and the declarations, and serves it on 127.0.0.1

  --build          build it, print its folder, and end
  --check          build it, check its links, weight and look in Chromium, and end
  --port <number>  serve it on this port. Default: 4173, or one that is free`

const usualPort = 4173

/** 3: VitePress could not be fetched, so nothing was checked. */
const exitCodes = { good: 0, failed: 1, usage: 2, notDownloaded: 3 } as const

async function main(args: readonly string[]): Promise<number> {
  const asked = parse(args)
  if (asked === null) {
    console.error(usage)
    return exitCodes.usage
  }
  if (asked.help) {
    console.log(usage)
    return exitCodes.good
  }
  try {
    const start = performance.now()
    // API Extractor takes seconds to load.
    const { buildSite } = await import('./build.js')
    const pages = buildSite()
    console.log(`${pages} pages in ${((performance.now() - start) / 1000).toFixed(0)} s: ${siteFolder}`)
  } catch (error) {
    if (!(error instanceof DownloadError)) throw error
    console.log(`${error.message}\n0 passed, 0 failed, 1 skipped`)
    return exitCodes.notDownloaded
  }
  if (asked.check) return check()
  if (asked.build) return exitCodes.good
  const { origin } = await serveSite(asked.port)
  console.log(`${origin}${base}`)
  return exitCodes.good
}

/** Serves on a free port when the usual one is taken. A port that was asked for has to be free. */
async function serveSite(port: number): Promise<Served> {
  try {
    return await serve(siteFolder, port)
  } catch (error) {
    if (port !== usualPort || (error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error
    return serve(siteFolder, 0)
  }
}

function parse(args: readonly string[]): { build: boolean; check: boolean; help: boolean; port: number } | null {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        build: { type: 'boolean', default: false },
        check: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
        port: { type: 'string', default: String(usualPort) },
      },
    })
    const port = Number(values.port)
    return Number.isInteger(port) && port >= 0 && port < 65536 ? { ...values, port } : null
  } catch {
    return null
  }
}

function check(): number {
  const vitest = join(checkout, 'node_modules', 'vitest', 'vitest.mjs')
  const config = join(checkout, 'tooling', 'site', 'check', 'vitest.config.mjs')
  const { status } = spawnSync(process.execPath, [vitest, 'run', '--config', config], {
    cwd: checkout,
    stdio: 'inherit',
  })
  return status === 0 ? exitCodes.good : exitCodes.failed
}

main(process.argv.slice(2)).then(
  (code) => {
    process.exitCode = code
  },
  (error: unknown) => {
    console.error(error)
    process.exitCode = exitCodes.failed
  },
)
