// "#os" under the export condition memlayer-os-bsd: this backend and no other.
import { createOS } from '@memlayer/os-bsd'
import type { Source } from '../backend.js'

/** The pin. */
export const source: Source = { kind: 'pin', only: '@memlayer/os-bsd', load: () => ({ backend: { createOS } }) }
