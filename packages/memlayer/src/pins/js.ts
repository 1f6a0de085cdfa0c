// "#os" under the export condition memlayer-os-js: this backend and no other.
import { createOS } from '@memlayer/os-js'
import type { Source } from '../backend.js'

/** The pin. */
export const source: Source = { kind: 'pin', only: '@memlayer/os-js', load: () => ({ backend: { createOS } }) }
