// "#os" under the export condition memlayer-os-aix: this backend and no other.
import { createOS } from '@memlayer/os-aix'
import type { Source } from '../backend.js'

/** The pin. */
export const source: Source = { kind: 'pin', only: '@memlayer/os-aix', load: () => ({ backend: { createOS } }) }
