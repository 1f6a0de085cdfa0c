// Tests that a CommonJS bundle finds koffi's addon beside it, however it is started, and that a copy made by a file
// tracer has the addon. A startup snapshot may hold memlayer, but no memory.
import { copyFileSync, cpSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import {
  bundlings,
  openLab,
  programOf,
  run,
  runWell,
  takeAway,
  versionOf,
  type Bundling,
  type End,
  type Lab,
} from '@memlayer/matrix'
import { requireEngine } from '@memlayer/engines'
import { nodeFileTrace } from '@vercel/nft'
import { build } from 'esbuild'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const onLinux = process.platform === 'linux' && process.arch === 'x64'

const ask = `import { memory } from 'memlayer'
  console.log(memory.os.name, memory.os.host?.foreignCalls?.engine ?? memory.choice.reason)`

/** Ways to start dist/bundle.cjs, as arguments for Node. The current folder is another one. */
const starts: readonly (readonly [string, (root: string) => readonly string[]])[] = [
  ['as the main program', (root) => [join(root, 'dist', 'bundle.cjs')]],
  ['by another main program', (root) => [join(root, 'runtime.cjs')]],
  ['with node -r', (root) => ['-r', join(root, 'dist', 'bundle.cjs'), '-e', '0']],
  ['through a symbolic link', (root) => [join(root, 'bin', 'link')]],
  ['through a symbolic link that is kept', (root) => ['--preserve-symlinks-main', join(root, 'bin', 'link')]],
]

const commonJS = bundlings.filter(({ for: target, title }) => target === 'node' && /CommonJS|webpack/.test(title))

describe.skipIf(!onLinux)('what a deployment has (needs Linux on x64)', () => {
  let lab: Lab
  let traced: string
  let packed: string
  let elsewhere: string
  const made = new Map<Bundling, string>()

  beforeAll(async () => {
    lab = await openLab()
    const app = await lab.install('deployed', ['memlayer'])
    // The bundlers take the suite's file.
    writeFileSync(join(app, 'suite.js'), ask)
    for (const bundling of commonJS) made.set(bundling, await layOut(lab, app, bundling))
    for (const root of made.values()) await bundleLater(app, join(root, 'dist', 'later.cjs'))
    packed = await byNcc(lab, app)
    traced = lab.folder('traced')
    const { fileList } = await nodeFileTrace([join(app, 'suite.js')], { base: app })
    for (const file of fileList)
      cpSync(join(app, file), join(traced, file), { recursive: true, verbatimSymlinks: true })
    elsewhere = lab.folder('elsewhere')
    const { addon } = takeAway(lab, app)
    for (const root of made.values()) copyFileSync(addon, join(root, 'dist', 'koffi.node'))
    copyFileSync(addon, join(packed, 'koffi.node'))
  })
  afterAll(async () => lab[Symbol.asyncDispose]())

  const expectKoffi = ({ stdout, stderr }: End): void => expect([stdout, stderr]).toEqual(['linux koffi\n', ''])

  describe.each(commonJS.map((bundling) => ({ title: bundling.title, bundling })))(
    'a bundle of $title',
    ({ bundling }) => {
      it.for(starts)('finds the addon beside it when it is started %s', async ([, args]) => {
        const root = made.get(bundling) ?? ''
        expectKoffi(await run(process.execPath, args(root), { cwd: elsewhere }))
      })
    },
  )

  it('a single executable application finds the addon beside itself by path, PATH and link', async (context) => {
    requireEngine('node26', context)
    const root = made.values().next().value ?? ''
    const config = { main: 'dist/bundle.cjs', output: 'dist/application', disableExperimentalSEAWarning: true }
    writeFileSync(join(root, 'sea.json'), JSON.stringify(config))
    await runWell(programOf('node26') ?? '', ['--build-sea', 'sea.json'], { cwd: root })
    const application = join(root, 'dist', 'application')
    expectKoffi(await run(application, [], { cwd: elsewhere }))
    const env = { PATH: [dirname(application), process.env['PATH']].join(delimiter) }
    expectKoffi(await run('application', [], { cwd: elsewhere, env }))
    symlinkSync(application, join(root, 'bin', 'application'))
    expectKoffi(await run(join(root, 'bin', 'application'), [], { cwd: elsewhere }))
  })

  it('a startup snapshot refuses memory while it is built, and has it when it is started', async () => {
    const root = made.values().next().value ?? ''
    const blob = join(root, 'snapshot.blob')
    const make = ['--snapshot-blob', blob, '--build-snapshot']
    const { code, stderr } = await run(process.execPath, [...make, join(root, 'dist', 'bundle.cjs')], {
      cwd: elsewhere,
    })
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(/BackendError: .*setDeserializeMainFunction\(\)/) as string,
    ])
    await runWell(process.execPath, [...make, join(root, 'dist', 'later.cjs')], { cwd: elsewhere })
    expectKoffi(await run(process.execPath, ['--snapshot-blob', blob], { cwd: elsewhere }))
  })

  it('packed by @vercel/ncc into a CommonJS file, finds the addon beside it', async () => {
    expectKoffi(await run(process.execPath, [join(packed, 'index.cjs')], { cwd: elsewhere }))
  })

  it('copied by @vercel/nft, has the addon', async () => {
    expectKoffi(await run(process.execPath, [join(traced, 'suite.js')], { cwd: elsewhere }))
  })
})

/** Packs a CommonJS program by ncc, and returns the folder. */
async function byNcc(lab: Lab, app: string): Promise<string> {
  const tools = lab.folder('ncc')
  writeFileSync(join(tools, 'package.json'), '{ "private": true }')
  await lab.npm(tools, ['install', versionOf('@vercel/ncc')])
  writeFileSync(
    join(app, 'ask.cjs'),
    ask.replace("import { memory } from 'memlayer'", "const { memory } = require('memlayer')"),
  )
  const out = lab.folder('ncc-out')
  const ncc = join(tools, 'node_modules', '@vercel', 'ncc', 'dist', 'ncc', 'cli.js')
  await runWell(process.execPath, [ncc, 'build', join(app, 'ask.cjs'), '-o', out], { cwd: app })
  return out
}

/** Bundles a program that asks when a startup snapshot of it is started. */
async function bundleLater(app: string, outfile: string): Promise<void> {
  const contents = `import { memory } from 'memlayer'
    require('node:v8').startupSnapshot.setDeserializeMainFunction(() =>
      console.log(memory.os.name, memory.os.host?.foreignCalls?.engine))`
  await build({ stdin: { contents, resolveDir: app }, outfile, bundle: true, platform: 'node', logLevel: 'error' })
}

/** Makes a folder with the bundle in dist, a program that requires it, and a link to it. */
async function layOut(lab: Lab, app: string, bundling: Bundling): Promise<string> {
  const root = lab.folder(`started-${bundling.title.replaceAll(/\W/g, '')}`)
  const file = await bundling.bundle(app, join(root, 'dist'))
  expect(file).toBe('bundle.cjs')
  writeFileSync(join(root, 'runtime.cjs'), `require('./dist/bundle.cjs')`)
  mkdirSync(join(root, 'bin'))
  symlinkSync(join('..', 'dist', 'bundle.cjs'), join(root, 'bin', 'link'))
  return root
}
