// Where people put memlayer, besides runtimes and bundles: under the loaders of test runners and development servers,
// and under another package manager. Each place runs one question in a folder of its own, by the program that people
// use, and makes a row of the matrix.
import { createRequire } from 'node:module'
import { writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { run, runWell } from './command.js'
import { asModule, byBabel, byJest } from './jest.js'
import type { Lab } from './lab.js'
import { standalone } from './next.js'
import { question, versionOf } from './question.js'
import { programOf } from './runtimes.js'
import type { Row } from './rows.js'

const nodes = ['node22', 'node24', 'node26'] as const
type NodeEngine = (typeof nodes)[number]

/** One place. */
export interface Place {
  readonly title: string
  readonly node: NodeEngine
  /** What a user has to set there. */
  readonly set?: string
  /** Whether it is left to `npm run matrix`, because it installs or builds for more than a few seconds. */
  readonly isSlow?: boolean
  /** The value of memory.choice.how. Default is `'host'`. */
  readonly how?: 'host' | 'pin' | 'fallback'
  /** Runs ask.mjs there, in a folder with memlayer installed, and returns the output. */
  ask(started: Started): Promise<string>
}

/** What a place has to work with. */
export interface Started {
  readonly lab: Lab
  /** A folder with memlayer installed, and the question in it. */
  readonly app: string
  /** The path of the place's Node, and its name. */
  readonly node: string
  readonly nodeName: NodeEngine
}

/** Every place. */
export const places: readonly Place[] = [
  ...nodes.flatMap((node): Place[] => [
    {
      title: '`--no-experimental-require-module`',
      node,
      ask: ({ app, node: program }) => runWell(program, ['--no-experimental-require-module', 'ask.mjs'], { cwd: app }),
    },
    { title: 'a loader that hands Node the text of files, `--import`', node, ask: byLoader },
    ...['vmThreads', 'vmForks'].map((pool) => ({ title: `vitest, ${pool}`, node, ask: byVitest(pool) })),
    { title: "Vite's SSR server, `noExternal: ['memlayer']`", node, ask: byVite },
  ]),
  // One Node of these is quick enough for every `npm test`.
  ...nodes.flatMap((node): Place[] => [
    { title: 'tsx, a `.mts`', node, isSlow: node !== 'node24', ask: byTsx },
    {
      title: "yarn, Plug'n'Play",
      node,
      isSlow: node !== 'node24',
      ask: byYarn([process.platform, process.arch]),
    },
  ]),
  {
    title: "yarn, Plug'n'Play, a cache that was made on a Mac",
    node: 'node24',
    how: 'fallback',
    ask: byYarn(['darwin', 'arm64']),
  },
  ...nodes.map((node): Place => ({ title: 'jest, ES modules', node, isSlow: true, ask: byJest(asModule) })),
  {
    title: 'jest, ES modules',
    node: 'node22',
    isSlow: true,
    set: "`customExportConditions: ['node', 'node-addons', 'memlayer-os-linux']`",
    how: 'pin',
    ask: byJest({ ...asModule, conditions: ['memlayer-os-linux'] }),
  },
  // Before Node 24.9 jest's require() takes no ES module, whatever it is.
  ...(['node24', 'node26'] as const).map((node): Place => ({
    title: 'jest, CommonJS tests by babel-jest, its default',
    node,
    isSlow: true,
    ask: byJest(byBabel),
  })),
  {
    title: 'jest, babel-jest over memlayer too: `transformIgnorePatterns: []`',
    node: 'node24',
    isSlow: true,
    ask: byJest({ ...byBabel, config: { transformIgnorePatterns: [] } }),
  },
  ...(['node24', 'node26'] as const).flatMap((node) =>
    [false, true].map((isExternal): Place => ({
      title: `Next, \`output: 'standalone'\`, ${isExternal ? '`serverExternalPackages`' : 'bundled'}`,
      node,
      isSlow: true,
      set: '`outputFileTracingIncludes`',
      ask: (started) => standalone(started, isExternal),
    })),
  ),
]

/** Asks in a place, and returns its row. @throws Error when another backend serves than expected. */
export async function placeRow(place: Place, lab: Lab, app: string): Promise<Row> {
  const { title, node, set = '', how = 'host', ask } = place
  writeFileSync(join(app, 'ask.mjs'), question)
  const output = await ask({ lab, app, node: programOf(node) ?? node, nodeName: node })
  const line = /MEMLAYER (\{.*?\})/.exec(output)?.[1]
  if (line === undefined) throw new Error(`${title} printed no answer:\n${output}`)
  const said = JSON.parse(line) as { backend: string; how: string; refused: boolean }
  const expected = `@memlayer/os-${how === 'fallback' ? 'js' : 'linux'}`
  if (said.backend !== expected || said.how !== how || !said.refused)
    throw new Error(`${title}: ${line}, but it should be ${expected}, ${how}, and refuse with its own class`)
  return [title, node.replace('node', 'Node '), set, `\`${said.backend}\``, how]
}

function byVitest(pool: string): Place['ask'] {
  const program = join(dirname(createRequire(import.meta.url).resolve('vitest/package.json')), 'vitest.mjs')
  return ({ app, node }) => {
    writeFileSync(join(app, 'ask.test.mjs'), `import { test } from 'vitest'\ntest('asks', () => import('./ask.mjs'))`)
    return runWell(node, [program, 'run', '--root', app, '--pool', pool, '--globals', 'ask.test.mjs'], { cwd: app })
  }
}

/** In a process of its own, because the server would put its hooks into this one. */
function byVite({ app, node }: Started): Promise<string> {
  const vite = createRequire(import.meta.url).resolve('vite')
  writeFileSync(
    join(app, 'serve.mjs'),
    `const { createServer } = await import(${JSON.stringify(vite)})
     const server = await createServer({
       configFile: false, logLevel: 'error', appType: 'custom',
       server: { middlewareMode: true, ws: false }, ssr: { noExternal: ['memlayer'] },
     })
     await server.ssrLoadModule('/ask.mjs')
     await server.close()`,
  )
  return runWell(node, ['serve.mjs'], { cwd: app })
}

function byLoader({ app, node }: Started): Promise<string> {
  writeFileSync(
    join(app, 'hooks.mjs'),
    `import { readFile } from 'node:fs/promises'
     export async function load(url, context, next) {
       const loaded = await next(url, context)
       const isText = loaded.format === 'commonjs' && url.startsWith('file:')
       return isText ? { ...loaded, source: await readFile(new URL(url)) } : loaded
     }`,
  )
  writeFileSync(
    join(app, 'register.mjs'),
    `import { register } from 'node:module'; register('./hooks.mjs', import.meta.url)`,
  )
  return runWell(node, ['--no-warnings', '--import', './register.mjs', 'ask.mjs'], { cwd: app })
}

async function byTsx({ lab, node }: Started): Promise<string> {
  const app = await lab.install('tsx', ['memlayer', versionOf('tsx')])
  writeFileSync(join(app, 'ask.mts'), question)
  const { code, stdout, stderr } = await run(node, [join('node_modules', 'tsx', 'dist', 'cli.mjs'), 'ask.mts'], {
    cwd: app,
  })
  // tsx loads core for import and for require(). No install can join them, so nothing may ask for one.
  if (code !== 0 || stderr.includes('npm dedupe')) throw new Error(`tsx ended with ${code}:\n${stderr}`)
  return stdout
}

function byYarn([os, cpu]: readonly [string, string]): Place['ask'] {
  return async ({ lab, node, nodeName }) => {
    const tool = await lab.install('yarn', [versionOf('@yarnpkg/cli-dist')])
    const yarn = join(tool, 'node_modules', '@yarnpkg', 'cli-dist', 'bin', 'yarn.js')
    const app = lab.folder(`pnp-${os}-${nodeName}`)
    // What npm is told of its registry holds for yarn as well.
    const setting = async (name: string): Promise<string> => (await lab.npm(app, ['config', 'get', name])).trim()
    const certificates = await setting('cafile')
    const config = {
      enableTelemetry: false,
      enableGlobalCache: false,
      nodeLinker: 'pnp',
      npmRegistryServer: await setting('registry'),
      ...(certificates === 'null' ? {} : { httpsCaFilePath: certificates }),
      npmScopes: { memlayer: { npmRegistryServer: lab.registry } },
      supportedArchitectures: { os: [os], cpu: [cpu] },
      unsafeHttpWhitelist: ['127.0.0.1'],
      // yarn waits a day before it takes a new version.
      npmPreapprovedPackages: ['@memlayer/*'],
    }
    // JSON is YAML.
    writeFileSync(join(app, '.yarnrc.yml'), JSON.stringify(config))
    writeFileSync(join(app, 'yarn.lock'), '')
    const dependencies = { memlayer: lab.tarballOf('memlayer') }
    writeFileSync(
      join(app, 'package.json'),
      JSON.stringify({ name: 'pnp', private: true, type: 'module', dependencies }),
    )
    writeFileSync(join(app, 'ask.mjs'), question)
    await runWell(node, [yarn, 'install', '--no-immutable'], { cwd: app })
    return runWell(node, [yarn, 'node', 'ask.mjs'], { cwd: app })
  }
}
