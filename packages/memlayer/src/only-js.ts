// "#os" where nothing native can be loaded: browsers, workers at a network's edge, React Native, and
// runtimes that no condition names.
import { createOS } from '@memlayer/os-js'
import type { Source } from './backend.js'

/** JavaScript alone. */
export const source: Source = { kind: 'only', only: '@memlayer/os-js', load: () => ({ backend: { createOS } }) }
