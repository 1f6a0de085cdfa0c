// The recorder: what happened before a page was opened is there, and a program that ends leaves it in a file.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as after } from 'node:timers/promises'
import { createMemory, type Memory } from '@memlayer/core'
import { inspect, record, type Snapshot } from '@memlayer/inspect'
import { createOS } from '@memlayer/os-js'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { fresh, living, MiB } from './living.js'
import { browserOf } from './open-page.js'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'memlayer-record-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const read = (name: string): Snapshot => JSON.parse(readFileSync(name, 'utf8')) as Snapshot

/**
 * Counts the moments that are taken of a memory from now on. Tests wait for moments, and not for seconds: after one
 * that took 15 ms the next comes 3 seconds later.
 */
function momentsOf(memory: Memory): () => number {
  const stats = vi.spyOn(memory, 'stats')
  return () => stats.mock.calls.length
}

/** Runs a program that records itself, until it ends. `signal`: what is sent to it when it is ready. */
async function program(code: string, env: Record<string, string>, signal?: NodeJS.Signals): Promise<unknown[]> {
  const child = spawn(process.execPath, ['--import', '@memlayer/inspect/auto', '--input-type=module', '-e', code], {
    cwd: new URL('..', import.meta.url),
    env: { ...process.env, MEMLAYER_INSPECT: 'off', TMPDIR: folder, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: 30_000,
  })
  const ended = once(child, 'exit')
  await once(child.stdout, 'data')
  if (signal !== undefined) child.kill(signal)
  return ended
}

const work = `
  import { memory } from 'memlayer'
  const region = memory.reserve(2 ** 20, { name: 'of the program' })
  region.commit()
  region.write(0, new Uint8Array(2 ** 19).fill(1))
  await new Promise((resolve) => setTimeout(resolve, 1500))
  console.log('ready')
`

describe('a recording', () => {
  it('has moments, operations and a snapshot, and is bounded', async () => {
    const memory = createMemory(createOS())
    using recording = record(memory, { every: 20, moments: 2, log: 3 })
    const region = memory.reserve(2 ** 16, { name: 'recorded' })
    const taken = momentsOf(memory)
    while (taken() < 4) {
      region.commit(0, 2 ** 16)
      region.unused(0, 2 ** 16)
      await after(30)
    }
    const file = recording.write(join(folder, 'own-%p.json'))
    expect(file).toBe(join(folder, `own-${process.pid}.json`))
    const { format, history, log, regions } = read(file)
    expect([format, history.length, log.length]).toEqual(['memlayer-snapshot', 2, 3])
    expect(history.map(({ at }) => at)).toEqual(history.map(({ at }) => at).toSorted((a, b) => a - b))
    expect(log.at(-1)?.op).toBe('sysUnused')
    expect(regions.map(({ name }) => name)).toEqual(['recorded'])
    // No half of a file stays behind.
    expect(readdirSync(folder)).toEqual([`own-${process.pid}.json`])
    expect(() => recording.write()).toThrow('record: no file was given')
    expect(() => record(memory, { fil: 'x' } as object)).toThrow(
      expect.objectContaining({ code: 'ERR_MEMLAYER_OPTION' }) as Error,
    )
    region.free()
  })

  it('ends: no moment and no operation comes after', async () => {
    const memory = createMemory(createOS())
    const taken = momentsOf(memory)
    const recording = record(memory, { every: 10 })
    while (taken() < 2) await after(10)
    recording.close()
    const before = read(recording.write(join(folder, 'a.json'))).history.length
    expect(before).toBeGreaterThan(1)
    memory.reserve(2 ** 16).free()
    await after(1000)
    const { history, log } = read(recording.write(join(folder, 'b.json')))
    expect([history.length, log.length]).toEqual([before, 0])
  })
})

describe.skipIf(process.platform !== 'linux')('a program that records itself', () => {
  it('leaves its file at its end', async () => {
    expect(await program(work, { MEMLAYER_RECORD: join(folder, 'end.json') })).toEqual([0, null])
    const { history, log, regions, explanation } = read(join(folder, 'end.json'))
    expect(history.length).toBeGreaterThan(0)
    expect(history.at(-1)?.ready).toBe(MiB)
    expect(log.map(({ op }) => op)).toContain('sysReserve')
    expect(regions).toMatchObject([{ name: 'of the program', resident: MiB / 2 }])
    expect(explanation?.layer).toBe(MiB / 2)
  })

  it('leaves it when an error that nothing caught ends it', async () => {
    const [code] = await program(`${work}; throw new Error('over')`, { MEMLAYER_RECORD: join(folder, 'thrown.json') })
    expect(code).toBe(1)
    expect(read(join(folder, 'thrown.json')).regions).toHaveLength(1)
  })

  it('leaves it when a signal ends it, which ends it as before', async () => {
    const env = { MEMLAYER_RECORD: join(folder, 'term.json') }
    expect(await program(`${work}; setInterval(() => {}, 1000)`, env, 'SIGTERM')).toEqual([null, 'SIGTERM'])
    expect(read(join(folder, 'term.json')).regions).toHaveLength(1)
  })

  it('writes it after a refusal, with the refused operation, while it runs on', async () => {
    const code = `
      ${work}
      import { existsSync } from 'node:fs'
      try { memory.reserve(2 ** 52, { name: 'too much' }) } catch {}
      const until = Date.now() + 15_000
      while (!existsSync(process.env.MEMLAYER_RECORD) && Date.now() < until)
        await new Promise((resolve) => setTimeout(resolve, 20))
      process.exitCode = existsSync(process.env.MEMLAYER_RECORD) ? 7 : 1
    `
    const file = join(folder, 'refused.json')
    expect(await program(code, { MEMLAYER_RECORD: file })).toEqual([7, null])
    expect(read(file).log.at(-1)).toMatchObject({ op: 'sysReserve', outcome: 'refused' })
  })

  it('writes it on the signal that was chosen, and runs on', async () => {
    const file = join(folder, 'asked-%p.json')
    const env = { MEMLAYER_RECORD: file, MEMLAYER_RECORD_SIGNAL: 'SIGUSR2' }
    const code = `
      ${work}
      import { readdirSync } from 'node:fs'
      while (!readdirSync(process.env.TMPDIR).some((name) => /^asked-\\d+\\.json$/.test(name)))
        await new Promise((resolve) => setTimeout(resolve, 20))
      process.kill(process.pid, 'SIGKILL')
    `
    expect(await program(code, env, 'SIGUSR2')).toEqual([null, 'SIGKILL'])
    const name = readdirSync(folder).find((one) => one.startsWith('asked-')) ?? ''
    expect(read(join(folder, name)).regions).toHaveLength(1)
    expect(existsSync(file)).toBe(false)
  })
})

describe.skipIf(process.platform !== 'linux')('a page', () => {
  it('that is opened late, and one that is opened again, have what was before', async (ctx) => {
    const browser = await browserOf(ctx)
    const memory = living()
    const taken = momentsOf(memory)
    await using inspector = await inspect(memory)
    // The last one may be on its way still.
    while (taken() < 3) await after(100)
    const early = Date.now()
    const historyOf = async (url: string): Promise<Snapshot['history']> => {
      await using tab = await browser.open(url)
      await fresh(tab.page)
      await fresh(tab.page)
      const [saved] = await Promise.all([tab.page.waitForEvent('download'), tab.page.locator('#save').click()])
      expect(tab.complaints).toEqual([])
      return read(await saved.path()).history
    }
    const late = await historyOf(inspector.url)
    expect(late.filter(({ at }) => at < early).length).toBeGreaterThan(1)
    const again = await historyOf(inspector.another())
    expect(again.slice(0, late.length).map(({ at }) => at)).toEqual(late.map(({ at }) => at))
    expect(new Set(again.map(({ at }) => at)).size).toBe(again.length)
    // The file that a recording leaves is opened too.
    using recording = record(memory, { every: 20 })
    const file = recording.write(join(folder, 'opened.json'))
    await using tab = await browser.open(inspector.another())
    await fresh(tab.page)
    await tab.page.locator('#open').setInputFiles(file)
    await tab.page.waitForFunction((at) => document.body.dataset['at'] === at, String(read(file).at))
    expect(await tab.page.locator('#about').textContent()).toBe('showing opened.json')
    expect(await tab.page.locator('#explain-says').textContent()).toMatch(/^As of/)
  })
})
