// "#os" on a Node whose require() takes no ES module (--no-experimental-require-module). There memlayer can only be
// imported, so this may wait for a backend. It loads the one that the choice can want, before memlayer is first used.
// The manifest's condition `module-sync` keeps other Nodes from it. `node-addons` keeps bundles from it, because
// bundlers do not set it.
import { createOS } from '@memlayer/os-js'
import type { Backend, Loaded, Source } from './backend.js'
import { backendFor, JS, packageOf } from './choice.js'
import { environment } from './environment.js'
import { isInstalled } from './native-require.js'

async function importBackend(name: string): Promise<Loaded> {
  try {
    return { backend: await importByName(name) }
  } catch (error) {
    return { error }
  }
}

/** Literal names, so that a file tracer sees them. */
function importByName(name: string): Promise<Backend> {
  switch (name) {
    case '@memlayer/os-aix':
      return import('@memlayer/os-aix')
    case '@memlayer/os-bsd':
      return import('@memlayer/os-bsd')
    case '@memlayer/os-darwin':
      return import('@memlayer/os-darwin')
    case '@memlayer/os-engine':
      return import('@memlayer/os-engine')
    case '@memlayer/os-linux':
      return import('@memlayer/os-linux')
    case '@memlayer/os-plan9':
      return import('@memlayer/os-plan9')
    default:
      return import('@memlayer/os-windows')
  }
}

const { asked, platform = '' } = environment()
const wanted = asked === undefined ? backendFor(platform) : packageOf(asked)
const loaded: Loaded =
  wanted === null || wanted === JS
    ? { backend: { createOS } }
    : // oxlint-disable-next-line node/no-top-level-await -- the comment on top says where this file is loaded
      await importBackend(wanted)

/** The installed backends. */
export const source: Source = {
  kind: 'auto',
  only: null,
  isInstalled,
  load: (name: string): Loaded => (name === JS ? { backend: { createOS } } : loaded),
}
