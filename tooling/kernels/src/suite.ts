// The tests that are run, the very files that vitest runs on this host, each bundled with a vitest
// of node:test's in the place of the real one; and the packages that they import, as they are built.
import { cpSync, mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { rolldown } from 'rolldown'
import { machines, type Machine } from './machines.js'
import { root } from './workspace.js'

const TESTS = join(root, 'packages', 'os-linux', 'test')
const OWN_TESTS = join(root, 'tooling', 'kernels', 'test', 'machine')
const here = dirname(fileURLToPath(import.meta.url))

/** Those of os-linux that ask the real kernel and need no other tool. */
const shared = [
  'mem.real',
  'regions',
  'views',
  'unused-all',
  'growable-buffer',
  'populate',
  'huge-pages',
  'workers',
  'refusals',
  'faults',
]

/** The files that a machine runs, by the names of their bundles. */
export function filesOf({ own }: Machine): string[] {
  return [...shared, ...own]
}

/** Writes `<name>.mjs` for each file of any machine, the reporter, and node_modules. */
export async function writeSuite(folder: string): Promise<void> {
  for (const name of shared) await bundle(join(TESTS, `${name}.test.ts`), join(folder, `${name}.mjs`))
  for (const name of machines.flatMap(({ own }) => own))
    await bundle(join(OWN_TESTS, `${name}.ts`), join(folder, `${name}.mjs`))
  cpSync(join(root, 'tooling', 'wine', 'dist', 'reporter.js'), join(folder, 'reporter.mjs'))
  for (const name of [
    'packages/core',
    'packages/ffi',
    'packages/kernel',
    'packages/os-linux',
    'tooling/stand-in',
    'tooling/witness',
  ]) {
    const place = join(folder, 'node_modules', '@memlayer', name.split('/')[1] ?? '')
    mkdirSync(place, { recursive: true })
    cpSync(join(root, name, 'dist'), join(place, 'dist'), { recursive: true })
    cpSync(join(root, name, 'package.json'), join(place, 'package.json'))
  }
}

async function bundle(input: string, file: string): Promise<void> {
  const made = await rolldown({
    input,
    platform: 'node',
    external: [/^@memlayer\//, /^node:/],
    // Node 22 has no `using`.
    transform: { target: 'node22' },
    resolve: { alias: { vitest: join(here, 'guest', 'vitest.js') } },
  })
  await made.write({ file, format: 'esm', sourcemap: 'inline' })
  await made.close()
}
