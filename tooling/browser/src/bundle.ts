// A module and all that it imports, as one: workers know no import maps, and what users ship
// is bundled too. What a browser does not have, a Node module say, is an error.
import { fileURLToPath } from 'node:url'
import { rolldown } from 'rolldown'

/** The text of one ES module made of `entry`, which may be TypeScript, and everything that it imports. */
export async function bundle(entry: string | URL): Promise<string> {
  const input = entry instanceof URL ? fileURLToPath(entry) : entry
  const build = await rolldown({
    input,
    platform: 'browser',
    // The runner serves it beside the bundle: a page's module can start a worker of its own with it.
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
