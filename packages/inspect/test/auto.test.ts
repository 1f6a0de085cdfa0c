// A program that was not changed: started with `--import @memlayer/inspect/auto`, it shows a page from the start, on a
// signal, or when `attach` asks.
import { spawn, spawnSync, type ChildProcessByStdio } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { text as textOf } from 'node:stream/consumers'
import type { Snapshot } from '@memlayer/inspect'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

const packageFolder = new URL('..', import.meta.url)
const app = `
  import { memory } from 'memlayer'
  const region = memory.reserve(2 ** 20, { name: 'of the program' })
  region.commit()
  console.log('ready')
  setInterval(() => {}, 1000)
  process.on('SIGTERM', () => process.exit(0))
`

type Child = ChildProcessByStdio<null, Readable, Readable>

let folder = ''
let children: Child[] = []
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'memlayer-auto-'))
})
afterEach(async () => {
  for (const child of children) {
    child.kill('SIGKILL')
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  }
  children = []
  rmSync(folder, { recursive: true })
})

/** Starts the program with the environment's variables, and waits until it works. */
async function start(env: Record<string, string>, code = app): Promise<Child> {
  const child = spawn(process.execPath, ['--import', '@memlayer/inspect/auto', '--input-type=module', '-e', code], {
    cwd: packageFolder,
    env: { ...process.env, TMPDIR: folder, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 30_000,
  })
  children.push(child)
  await once(child.stdout, 'data')
  return child
}

/** The next address that the process prints. */
async function told(child: Child): Promise<string> {
  let heard = ''
  for await (const chunk of child.stderr.iterator({ destroyOnReturn: false })) {
    heard += String(chunk)
    const url = /is inspected at (\S+)\n/.exec(heard)?.[1]
    if (url !== undefined) return url
  }
  return heard
}

const attach = (...args: string[]): { status: number | null; stdout: string; stderr: string } =>
  spawnSync(process.execPath, ['dist/cli.js', 'attach', ...args], {
    cwd: packageFolder,
    encoding: 'utf8',
    timeout: 20_000,
    env: { ...process.env, TMPDIR: folder },
  })

/** The regions that the page of this address shows. */
async function regionsAt(url: string): Promise<string[]> {
  const opened = await fetch(url, { redirect: 'manual' })
  const path = opened.headers.get('location') ?? 'no session'
  const answer = await fetch(new URL(`${path}snapshot`, url))
  return ((await answer.json()) as Snapshot).regions.map(({ name }) => name)
}

describe.skipIf(process.platform === 'win32')('a program that was not changed', () => {
  it('shows its page from the start, and nothing on its own output', async () => {
    const child = await start({})
    const url = await told(child)
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/\?token=[\w-]{32}$/)
    expect(await regionsAt(url)).toEqual(['of the program'])
    const rest = textOf(child.stdout)
    child.kill('SIGTERM')
    expect(await rest).toBe('')
    await once(child, 'exit')
    // Nothing of it stays behind.
    expect(readdirSync(join(folder, `memlayer-inspect-${process.getuid?.()}`))).toEqual([])
  })

  it('waits until attach asks, and gives each time an address of its own, for one browser each', async () => {
    const child = await start({ MEMLAYER_INSPECT: 'wait' })
    const urls = [attach(String(child.pid)), attach(String(child.pid))].map(({ status, stdout }) => {
      expect(status).toBe(0)
      return /^Open (\S+)\n/.exec(stdout)?.[1] ?? ''
    })
    expect(new Set(urls).size).toBe(2)
    // In any order, each once.
    for (const url of urls.toReversed()) expect(await regionsAt(url)).toEqual(['of the program'])
    for (const url of urls) expect((await fetch(url, { redirect: 'manual' })).status).toBe(403)
    const path = join(folder, `memlayer-inspect-${process.getuid?.()}`)
    expect(statSync(path).mode & 0o777).toBe(0o700)
    expect(statSync(join(path, `${child.pid}.sock`)).mode & 0o777).toBe(0o600)
  })

  it('opens its page on the signal that was chosen', async () => {
    const child = await start({ MEMLAYER_INSPECT: 'wait', MEMLAYER_INSPECT_SIGNAL: 'SIGUSR2' })
    child.kill('SIGUSR2')
    expect(await regionsAt(await told(child))).toEqual(['of the program'])
  })

  it('is drawn in the terminal of attach', async () => {
    const child = await start({ MEMLAYER_INSPECT: 'wait' })
    const { status, stdout } = attach(String(child.pid), '--terminal', '--seconds=2')
    expect(status).toBe(0)
    expect(stdout).toMatch(/^of the program +1 MiB +1 MiB/m)
  })

  it('is not reached where it does not allow it, and nothing happens to another process', async () => {
    const child = spawn(process.execPath, ['-e', "console.log('ready'); setInterval(() => {}, 1000)"], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    children.push(child)
    await once(child.stdout, 'data')
    const { status, stderr } = attach(String(child.pid))
    expect([status, stderr]).toEqual([1, expect.stringContaining(`Process ${child.pid} does not allow it`)])
    expect(child.exitCode).toBe(null)
  })

  it('does not use a folder that others can enter, and runs on without it', async () => {
    const path = join(folder, `memlayer-inspect-${process.getuid?.()}`)
    mkdirSync(path)
    chmodSync(path, 0o777)
    const child = await start({ MEMLAYER_INSPECT: 'wait' })
    expect(existsSync(join(path, `${child.pid}.sock`))).toBe(false)
    expect(attach(String(child.pid)).status).toBe(1)
  })

  it('runs on, with a warning, when the inspector can not start', async () => {
    for (const [env, words] of [
      [{ MEMLAYER_INSPECT: 'pages' }, "MEMLAYER_INSPECT is 'pages': set it to page, wait or off"],
      [{ MEMLAYER_INSPECT_PORT: '99999999' }, "The inspector can't start"],
    ] as const) {
      const child = await start(
        env,
        `${app}; process.exit(0)`.replace(
          "console.log('ready')",
          "console.log('ready'); await new Promise((r) => setTimeout(r, 300))",
        ),
      )
      const stderr = await textOf(child.stderr)
      expect(stderr).toContain(words)
      expect(stderr).toContain('MEMLAYER_INSPECT')
    }
  })

  it('keeps its worker threads and its end as they were', () => {
    const code = `
      import { Worker } from 'node:worker_threads'
      const execArgv = ['--import', '@memlayer/inspect/auto']
      const code = "require('node:worker_threads').parentPort.postMessage('worked')"
      new Worker(code, { eval: true, execArgv }).on('message', (word) => console.log(word))
    `
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      ['--import', '@memlayer/inspect/auto', '--input-type=module', '-e', code],
      { cwd: packageFolder, encoding: 'utf8', timeout: 20_000, env: { ...process.env, TMPDIR: folder } },
    )
    // The program ends by itself, and one address was printed: the main thread's.
    expect([status, stdout]).toEqual([0, 'worked\n'])
    expect(stderr.match(/is inspected at/g)).toHaveLength(1)
  })
})
