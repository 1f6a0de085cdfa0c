// Bundles by rollup for Node, as people configure it: without a condition, with `node`, and with its commonjs plugin.
import { copyFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { openLab, run, takeAway, versionOf, type Lab } from '@memlayer/matrix'
import { nodeResolve } from '@rollup/plugin-node-resolve'
import { rollup, type Plugin } from 'rollup'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const onLinux = process.platform === 'linux' && process.arch === 'x64'

describe.skipIf(!onLinux)('a bundle of rollup for Node (needs Linux on x64)', () => {
  let lab: Lab
  const titles = ['default', 'node', 'commonjs'] as const

  beforeAll(async () => {
    lab = await openLab()
    const plugin = '@rollup/plugin-commonjs'
    const app = await lab.install('rolled', ['memlayer', versionOf(plugin)])
    writeFileSync(
      join(app, 'ask.js'),
      `import { memory } from 'memlayer'
       const { backend, how } = memory.choice
       console.log(backend, how)`,
    )
    const requireInApp = createRequire(join(app, 'ask.js'))
    const commonjs = requireInApp(plugin) as () => Plugin
    const plugins: Readonly<Record<(typeof titles)[number], readonly Plugin[]>> = {
      default: [nodeResolve()],
      node: [nodeResolve({ exportConditions: ['node'] })],
      commonjs: [nodeResolve({ exportConditions: ['node'] }), commonjs()],
    }
    for (const title of titles) {
      const build = await rollup({
        input: join(app, 'ask.js'),
        external: [/^node:/],
        plugins: [...plugins[title]],
        onwarn: () => undefined,
      })
      await build.write({ file: join(lab.folder(title), 'bundle.mjs'), format: 'esm' })
      await build.close()
    }
    const { addon } = takeAway(lab, app)
    for (const title of titles) copyFileSync(addon, join(lab.folder(title), 'koffi.node'))
  })
  afterAll(async () => lab[Symbol.asyncDispose]())

  const ask = (title: (typeof titles)[number]) => run(process.execPath, ['bundle.mjs'], { cwd: lab.folder(title) })

  it('without a condition falls back to os-js with a warning that names the conditions', async () => {
    const { stdout, stderr } = await ask('default')
    expect(stdout).toBe('@memlayer/os-js fallback\n')
    expect(stderr).toMatch(/MEMLAYER_FALLBACK.*no export condition names.*memlayer-os-linux, or with 'node'/)
  })

  it('with the condition `node` alone falls back with a warning that rollup follows no require()', async () => {
    const { stdout, stderr } = await ask('node')
    expect(stdout).toBe('@memlayer/os-js fallback\n')
    expect(stderr).toMatch(/MEMLAYER_FALLBACK.*neither in this bundle nor installed.*condition memlayer-os-linux/)
  })

  it('with the commonjs plugin has os-linux', async () => {
    const { stdout, stderr } = await ask('commonjs')
    expect([stdout, stderr]).toEqual(['@memlayer/os-linux host\n', ''])
  })
})
