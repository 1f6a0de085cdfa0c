// Writes the suite's files into a folder with memlayer installed. Each file is one module. It imports memlayer's
// packages from that folder and contains all other code.
import { join } from 'node:path'
import { rolldown } from 'rolldown'

/** The suite's file for runtimes. */
export const SUITE = 'suite.js'
/** The suite's file for a page. It puts the promise of its outcome into `globalThis.memlayerOutcome`. */
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
