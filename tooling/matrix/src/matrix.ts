// What the matrix is made in: a folder with memlayer installed and the suite in it, and the bundles that every
// bundler makes of it. tests and main.ts go through their rows.
import { mkdirSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { bundlings, forBun } from './bundlers.js'
import type { Lab } from './lab.js'
import type { Bundle } from './rows.js'
import { programOf } from './runtimes.js'
import { writeSuite } from './suite-files.js'

/** What everybody writes: `npm install memlayer`. The folder, with the suite in it. */
export async function installApp(lab: Lab): Promise<string> {
  const app = await lab.install('app', ['memlayer'])
  await writeSuite(app)
  return app
}

/** Every bundle of what is in `app`. */
export async function bundleAll(lab: Lab, app: string): Promise<Bundle[]> {
  const bun = programOf('bun')
  const bundles: Bundle[] = []
  for (const [index, bundling] of [...bundlings, ...(bun === null ? [] : forBun(bun))].entries()) {
    const folder = lab.folder(`bundle-${index}`)
    bundles.push({ ...bundling, folder, file: await bundling.bundle(app, folder) })
  }
  return bundles
}

/** Takes the folder away that bundles were made from: what is not in a bundle must not be found there. */
export function takeAway(lab: Lab, app: string): { readonly addon: string } {
  const gone = join(lab.folder('gone'), 'app')
  mkdirSync(join(gone, '..'), { recursive: true })
  renameSync(app, gone)
  const libc = 'linux_x64'
  return {
    addon: join(gone, 'node_modules', '@koromix', `koffi-${process.platform}-${process.arch}`, libc, 'koffi.node'),
  }
}
