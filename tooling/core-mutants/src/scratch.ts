// A copy of a package in a folder of its own, with mutants in its source and in its build. Its tests run there as they
// stand: they import the source by its path, and the package by its name.
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative, sep } from 'node:path'
import { rolldown } from 'rolldown'
import { instrument, type Mutant } from './mutants.js'

/** A copy, which `dispose` removes. */
export interface Scratch {
  /** The folder of the copied package. */
  readonly folder: string
  /** The folder around it, for what the command keeps beside it. */
  readonly root: string
  dispose(): void
}

/** Copies `packageFolder`, puts the mutants in, and builds the copy. */
export async function scratchOf(packageFolder: string, mutants: ReadonlyMap<Mutant, number>): Promise<Scratch> {
  const root = mkdtempSync(join(tmpdir(), 'memlayer-mutants-'))
  const folder = join(root, 'packages', 'mutated')
  mkdirSync(folder, { recursive: true })
  cpSync(packageFolder, folder, {
    recursive: true,
    filter: (source) => relative(packageFolder, source).split(sep)[0] !== 'node_modules',
  })
  const modules = join(packageFolder, 'node_modules')
  if (existsSync(modules)) symlinkSync(modules, join(folder, 'node_modules'), 'junction')
  // The package's own refers to its neighbours, which are not here.
  writeFileSync(join(folder, 'tsconfig.json'), '{ "compilerOptions": { "verbatimModuleSyntax": true } }')
  for (const [file, own] of Map.groupBy(mutants, ([{ file: of }]) => of)) {
    const path = join(folder, 'src', file)
    writeFileSync(path, instrument(file, readFileSync(path, 'utf8'), new Map(own)))
  }
  await build(folder)
  return { folder, root, dispose: () => rmSync(root, { recursive: true, force: true }) }
}

/** Writes `dist` as the package's own build does: the bundle, and a file for each module. */
async function build(folder: string): Promise<void> {
  const bundle = await rolldown({
    input: join(folder, 'src', 'index.ts'),
    external: /^[^./]/,
    logLevel: 'silent',
    treeshake: false,
  })
  const dir = join(folder, 'dist')
  await bundle.write({ file: join(dir, 'bundle.js'), format: 'esm' })
  await bundle.write({ dir, format: 'esm', preserveModules: true, preserveModulesRoot: join(folder, 'src') })
  await bundle.close()
}
