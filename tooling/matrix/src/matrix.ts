// Makes the folders for the matrix: one with memlayer installed and the suite in it, and one for each bundle of it.
// Tests and main.ts make rows from them.
import { mkdirSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { bundlings, forBun } from './bundlers.js'
import type { Lab } from './lab.js'
import type { Bundle } from './rows.js'
import { programOf } from './runtimes.js'
import { writeSuite } from './suite-files.js'

/** Runs `npm install memlayer` like every user, adds the suite, and returns the folder. */
export async function installApp(lab: Lab): Promise<string> {
  const app = await lab.install('app', ['memlayer'])
  await writeSuite(app)
  return app
}

/** Bundles the suite in `app` with every bundler. */
export async function bundleAll(lab: Lab, app: string): Promise<Bundle[]> {
  const bun = programOf('bun')
  const bundles: Bundle[] = []
  for (const [index, bundling] of [...bundlings, ...(bun === null ? [] : forBun(bun))].entries()) {
    const folder = lab.folder(`bundle-${index}`)
    bundles.push({ ...bundling, folder, file: await bundling.bundle(app, folder) })
  }
  return bundles
}

/** Moves the folder `app` away, so that a bundle can't load files from it. Returns the new path of koffi's addon. */
export function takeAway(lab: Lab, app: string): { readonly addon: string } {
  const gone = join(lab.folder('gone'), 'app')
  mkdirSync(join(gone, '..'), { recursive: true })
  renameSync(app, gone)
  const libc = 'linux_x64'
  return {
    addon: join(gone, 'node_modules', '@koromix', `koffi-${process.platform}-${process.arch}`, libc, 'koffi.node'),
  }
}
