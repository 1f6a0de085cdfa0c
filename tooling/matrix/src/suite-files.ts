// The suite as files for a folder in which memlayer is installed: each one module, which imports memlayer's
// packages from there and has everything else in it.
import { join } from 'node:path'
import { rolldown } from 'rolldown'

/** The suite for runtimes. */
export const SUITE = 'suite.js'
/** The suite for a page: leaves the promise of its outcome in `globalThis.memlayerOutcome`. */
export const PAGE_START = 'page.js'

const files: Readonly<Record<string, string>> = {
  [SUITE]: 'main.js',
  [PAGE_START]: 'page.js',
  'worker.js': 'worker.js',
}

/** Writes the suite's files into a folder. */
export async function writeSuite(folder: string): Promise<void> {
  for (const [file, entry] of Object.entries(files)) {
    const build = await rolldown({
      input: join(import.meta.dirname, 'suite', entry),
      platform: 'neutral',
      external: [/^node:/, /^memlayer(\/|$)/, /^@memlayer\/(core|ffi|os-.*)$/],
      resolve: { conditionNames: ['import', 'default'] },
    })
    await build.write({ file: join(folder, file), format: 'esm' })
    await build.close()
  }
}
