// Tests `npx @memlayer/inspect demo` from the packed packages, in a terminal and as a page in a browser.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { dirname } from 'node:path'
import { openBrowser } from '@memlayer/browser'
import { openLab, type Lab } from '@memlayer/matrix'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

describe.skipIf(process.platform !== 'linux')('npx @memlayer/inspect demo, installed', () => {
  let lab: Lab
  let folder: string
  beforeAll(async () => {
    lab = await openLab()
    folder = await lab.install('inspected', ['memlayer', '@memlayer/inspect'])
  })
  afterAll(async () => lab[Symbol.asyncDispose]())

  it('draws in a terminal for the given number of seconds', async () => {
    const drawn = await lab.npm(folder, [
      'exec',
      '--no',
      '@memlayer/inspect',
      '--',
      'demo',
      '--terminal',
      '--seconds=1',
    ])
    expect(drawn).toMatch(/memlayer on linux, pages of 4 KiB/)
    expect(drawn).toMatch(/cache +512 MiB/)
    expect(drawn).toContain('where resident memory is')
  })

  it('serves a page that shows the workload, and then ends', async (ctx) => {
    await using browser = await openBrowser(ctx)
    const env = { ...process.env, PATH: `${dirname(process.execPath)}:${process.env['PATH'] ?? ''}` }
    const child = spawn('npm', ['exec', '--no', '@memlayer/inspect', '--', 'demo', '--seconds=15'], {
      cwd: folder,
      env,
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const ended = once(child, 'exit')
    let said = ''
    for await (const text of child.stdout.setEncoding('utf8')) {
      said += String(text)
      if (said.includes('\n')) break
    }
    const url = /http:\S+/.exec(said)?.[0] ?? ''
    await using tab = await browser.open(url)
    await tab.page.waitForSelector('[data-name="Ready"][data-value]')
    expect(Number(await tab.page.locator('[data-name="Ready"]').getAttribute('data-value'))).toBeGreaterThan(2 ** 26)
    expect(tab.complaints).toEqual([])
    expect(await ended).toEqual([0, null])
  })
})
