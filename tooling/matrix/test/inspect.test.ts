// Tests `npx @memlayer/inspect demo` from the packed packages, in a terminal and as a page in a browser, and the
// inspector in a bundle.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { openBrowser } from '@memlayer/browser'
import { openLab, runWell, type Lab } from '@memlayer/matrix'
import { build as esbuild } from 'esbuild'
import { rolldown } from 'rolldown'
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

  it.for([
    ['esbuild, an ES module', 'bundle.mjs', 'esm'],
    ['esbuild, CommonJS', 'bundle.cjs', 'cjs'],
    ['rolldown', 'rolldown.mjs', null],
  ] as const)('serves its page from a bundle of %s in an empty folder', async ([, file, format]) => {
    const entry = join(folder, 'serve.mjs')
    writeFileSync(
      entry,
      `import { inspect } from '@memlayer/inspect'
       import { memory } from 'memlayer'
       void inspect(memory).then(async (inspector) => {
         const { headers } = await fetch(inspector.url, { redirect: 'manual' })
         const page = await fetch(new URL(headers.get('location'), inspector.url))
         console.log(page.status, (await page.text()).length > 50_000)
         await inspector.close()
       })`,
    )
    const outfile = join(lab.folder('bundled'), file)
    if (format === null) {
      const build = await rolldown({ input: entry, platform: 'node', onLog: () => undefined })
      await build.write({ file: outfile, format: 'esm', codeSplitting: false })
      await build.close()
    } else await esbuild({ entryPoints: [entry], outfile, bundle: true, platform: 'node', format, logLevel: 'error' })
    const env = { MEMLAYER_OS: 'js' }
    expect(await runWell(process.execPath, [outfile], { cwd: lab.folder('bundled'), env })).toBe('200 true\n')
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
