// The suite: the tests of os-linux that vitest runs on this host, bundled file by file, with vitest's own runner
// and the packages that they import. The machines run it.
import { cpSync, mkdirSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { rolldown } from 'rolldown'
import { machines, type Machine } from './machines.js'
import { root } from './workspace.js'

const sharedFolder = join(root, 'packages', 'os-linux', 'test')
const ownFolder = join(root, 'tooling', 'kernels', 'test', 'machine')
const here = dirname(fileURLToPath(import.meta.url))

/** The test files of os-linux that ask the real kernel and need no other tool. Every machine runs them. */
export const shared: readonly string[] = [
  'mem.real',
  'regions',
  'views',
  'unused-all',
  'growable-buffer',
  'populate',
  'huge-pages',
  'workers',
  'retired',
  'refusals',
  'faults',
]

/** The packages that the tests import, and the command that they run. */
const packages = [
  'packages/core',
  'packages/ffi',
  'packages/kernel',
  'packages/memlayer',
  'packages/os-js',
  'packages/os-linux',
  'tooling/stand-in',
  'tooling/witness',
]

/** The runner, by its path from the suite's folder. */
export const runnerPath = 'node_modules/vitest/run.js'

/** The files that a machine runs, by the names of their bundles. */
export function filesOf({ own }: Pick<Machine, 'own'>): string[] {
  return [...shared, ...own]
}

/** Writes `<name>.mjs` for each test file of any machine, and a node_modules with the runner and the packages. */
export async function writeSuite(folder: string): Promise<void> {
  for (const name of shared) await bundleTests(join(sharedFolder, `${name}.test.ts`), join(folder, `${name}.mjs`))
  for (const name of machines.flatMap(({ own }) => own)) {
    await bundleTests(join(ownFolder, `${name}.ts`), join(folder, `${name}.mjs`))
  }
  await bundleVitest(folder)
  for (const name of packages) {
    const place = join(folder, 'node_modules', '@memlayer', name.split('/')[1] ?? '')
    mkdirSync(place, { recursive: true })
    cpSync(join(root, name, 'dist'), join(place, 'dist'), { recursive: true })
    cpSync(join(root, name, 'package.json'), join(place, 'package.json'))
  }
}

/** Bundles one file of tests. It finds vitest and our packages in the suite's node_modules. */
export async function bundleTests(input: string, file: string): Promise<void> {
  const made = await rolldown({
    input,
    platform: 'node',
    external: ['vitest', /^@memlayer\//, /^node:/],
    // Node 22 has no `using`.
    transform: { target: 'node22' },
  })
  await made.write({ file, format: 'esm', sourcemap: 'inline' })
  await made.close()
}

/** Bundles vitest: what tests import of it, and guest/run.ts over the same modules. */
export async function bundleVitest(folder: string): Promise<void> {
  const vitest = join(dirname(createRequire(import.meta.url).resolve('vitest/package.json')), 'dist', 'index.js')
  const dir = join(folder, 'node_modules', 'vitest')
  const made = await rolldown({ input: { index: vitest, run: join(here, 'guest', 'run.js') }, platform: 'node' })
  await made.write({ dir, format: 'esm' })
  await made.close()
  writeFileSync(join(dir, 'package.json'), '{ "type": "module", "exports": "./index.js" }\n')
}
