// "#os" on hosts that can't load native code: browsers, edge workers, React Native.
import { createOS } from '@memlayer/os-js'
import type { Source } from './backend.js'

/** Has only the JavaScript backend. */
export const source: Source = { kind: 'only', only: '@memlayer/os-js', load: () => ({ backend: { createOS } }) }
