// Runs every bundler with the smallest configuration that users would write. Each bundles the suite and all of its
// imports into one file, from a folder with memlayer installed. rows.ts runs the bundles.
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { nodeResolve } from '@rollup/plugin-node-resolve'
import { build as esbuild } from 'esbuild'
import { rolldown } from 'rolldown'
import { rollup } from 'rollup'
import { build as vite } from 'vite'
import webpack from 'webpack'
import { runWell } from './command.js'
import { PAGE_START, SUITE } from './suite-files.js'

/** One way of bundling. */
export interface Bundling {
  /** The bundler's name in the matrix. */
  readonly title: string
  /** The platform that runs the bundle. */
  readonly for: 'node' | 'bun' | 'browser'
  /** The value of memory.choice.how in the bundle. */
  readonly how: 'host' | 'pin'
  /** Bundles the suite in `app` into the folder `out`, and returns the file's name. */
  bundle(app: string, out: string): Promise<string>
}

/** The export condition that picks the backend, for a bundler that does not follow require(). */
const pin = 'memlayer-os-linux'

/** Bundlers for Node. */
const forNode: readonly Bundling[] = [
  {
    title: 'esbuild',
    for: 'node',
    how: 'host',
    bundle: (app, out) => withEsbuild(app, out, 'node', 'bundle.mjs'),
  },
  {
    title: 'esbuild, CommonJS',
    for: 'node',
    how: 'host',
    bundle: (app, out) => withEsbuild(app, out, 'node', 'bundle.cjs'),
  },
  {
    title: 'rolldown',
    for: 'node',
    how: 'host',
    async bundle(app, out) {
      const build = await rolldown({ input: join(app, SUITE), platform: 'node', onLog: () => undefined })
      await build.write({ file: join(out, 'bundle.mjs'), format: 'esm', codeSplitting: false })
      await build.close()
      return 'bundle.mjs'
    },
  },
  {
    title: 'webpack',
    for: 'node',
    how: 'host',
    bundle: (app, out) => withWebpack(app, out, 'node', SUITE, 'bundle.cjs'),
  },
  {
    title: 'Vite, SSR',
    for: 'node',
    how: 'host',
    bundle: (app, out) => withVite(app, out, true),
  },
  {
    title: `rollup, with \`exportConditions: ['${pin}', 'node']\``,
    for: 'node',
    how: 'pin',
    bundle: (app, out) => withRollup(join(app, SUITE), out, { exportConditions: [pin, 'node'] }),
  },
]

/** Bundlers for a browser. */
const forBrowser: readonly Bundling[] = [
  {
    title: 'esbuild',
    for: 'browser',
    how: 'host',
    bundle: (app, out) => withEsbuild(app, out, 'browser', 'bundle.mjs'),
  },
  {
    title: 'rolldown',
    for: 'browser',
    how: 'host',
    async bundle(app, out) {
      const build = await rolldown({ input: join(app, PAGE_START), platform: 'browser' })
      await build.write({ file: join(out, 'bundle.mjs'), format: 'esm' })
      await build.close()
      return 'bundle.mjs'
    },
  },
  {
    title: 'webpack',
    for: 'browser',
    how: 'host',
    bundle: (app, out) => withWebpack(app, out, 'web', PAGE_START, 'bundle.js'),
  },
  { title: 'Vite', for: 'browser', how: 'host', bundle: (app, out) => withVite(app, out, false) },
  {
    title: 'rollup, with `browser: true`',
    for: 'browser',
    how: 'host',
    bundle: (app, out) => withRollup(join(app, PAGE_START), out, { browser: true }),
  },
]

/** Returns the ways to run Bun's own bundler. `bun` is the path of the program. */
export function forBun(bun: string): readonly Bundling[] {
  const build = async (app: string, out: string, name: string, args: readonly string[]): Promise<string> => {
    await runWell(bun, ['build', SUITE, `--outfile=${join(out, name)}`, ...args], { cwd: app })
    return name
  }
  return [
    {
      title: '`bun build --target=bun`',
      for: 'bun',
      how: 'host',
      bundle: (app, out) => build(app, out, 'bundle.mjs', ['--target=bun']),
    },
    {
      title: '`bun build --compile`',
      for: 'bun',
      how: 'host',
      bundle: (app, out) => build(app, out, 'bundle', ['--compile']),
    },
  ]
}

/** All bundlers except Bun's. */
export const bundlings: readonly Bundling[] = [...forNode, ...forBrowser]

async function withEsbuild(app: string, out: string, platform: 'node' | 'browser', name: string): Promise<string> {
  await esbuild({
    entryPoints: [join(app, platform === 'node' ? SUITE : PAGE_START)],
    outfile: join(out, name),
    bundle: true,
    platform,
    format: name.endsWith('.cjs') ? 'cjs' : 'esm',
    logLevel: 'error',
  })
  return name
}

async function withRollup(input: string, out: string, options: Parameters<typeof nodeResolve>[0]): Promise<string> {
  const build = await rollup({
    input,
    external: [/^node:/],
    plugins: [nodeResolve(options)],
    onwarn(warning) {
      // rollup only warns about an import that it can't resolve, but the bundle would not run.
      if (warning.code === 'UNRESOLVED_IMPORT') throw new Error(warning.message)
    },
  })
  await build.write({ file: join(out, 'bundle.mjs'), format: 'esm' })
  await build.close()
  return 'bundle.mjs'
}

async function withVite(app: string, out: string, ssr: boolean): Promise<string> {
  await vite({
    root: app,
    configFile: false,
    logLevel: 'error',
    ...(ssr ? { ssr: { noExternal: true } } : {}),
    build: {
      outDir: out,
      emptyOutDir: false,
      ssr: ssr ? SUITE : false,
      ...(ssr ? {} : { modulePreload: { polyfill: false } }),
      rolldownOptions: { input: join(app, ssr ? SUITE : PAGE_START), output: { entryFileNames: 'bundle.mjs' } },
    },
  })
  return 'bundle.mjs'
}

async function withWebpack(
  app: string,
  out: string,
  target: 'node' | 'web',
  entry: string,
  name: string,
): Promise<string> {
  mkdirSync(out, { recursive: true })
  const stats = await new Promise<webpack.Stats | undefined>((resolve, reject) => {
    const options: webpack.Configuration = {
      context: app,
      mode: 'production',
      target,
      entry: `./${entry}`,
      output: { path: out, filename: name },
      performance: false,
    }
    webpack(options, (error, ended) => (error === null ? resolve(ended) : reject(error)))
  })
  if (stats?.hasErrors() !== false)
    throw new Error(stats?.toString({ all: false, errors: true }) ?? 'webpack returned neither a result nor an error')
  return name
}
