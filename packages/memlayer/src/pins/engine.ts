// "#os" under the export condition memlayer-os-engine: this backend and no other.
import { createOS } from '@memlayer/os-engine'
import type { Source } from '../backend.js'

/** The pin. */
export const source: Source = { kind: 'pin', only: '@memlayer/os-engine', load: () => ({ backend: { createOS } }) }
