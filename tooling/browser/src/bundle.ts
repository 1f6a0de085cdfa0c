// Bundles a module and all of its imports into one module. Workers don't support import maps, and users ship
// bundles too. An import that a browser does not have, such as node:fs, is an error.
import { fileURLToPath } from 'node:url'
import { rolldown } from 'rolldown'

/** Returns the text of one ES module, made of `entry` and all of its imports. `entry` may be TypeScript. */
export async function bundle(entry: string | URL): Promise<string> {
  const input = entry instanceof URL ? fileURLToPath(entry) : entry
  const build = await rolldown({
    input,
    platform: 'browser',
    // The runner serves this file beside the bundle. A module in a page can start its own worker with it.
    external: ['/in-worker.js'],
    onLog(level, log) {
      if (level === 'warn') throw new Error(`${input}: ${log.message}`)
    },
  })
  try {
    const { output } = await build.generate({ format: 'esm', codeSplitting: false, sourcemap: 'inline' })
    return output[0].code
  } finally {
    await build.close()
  }
}
