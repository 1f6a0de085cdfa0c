// "#os" where no export condition names the host: on a runtime that has none, and in a bundle for Node whose bundler
// was not told so (rollup's node-resolve and esbuild's platform `neutral` set no `node`). resolve.ts tells these apart.
import { createOS } from '@memlayer/os-js'
import type { Source } from './backend.js'

/** Has only the JavaScript backend. */
export const source: Source = { kind: 'unnamed', only: '@memlayer/os-js', load: () => ({ backend: { createOS } }) }
