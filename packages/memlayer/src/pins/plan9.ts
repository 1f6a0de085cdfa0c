// "#os" under the export condition memlayer-os-plan9: this backend and no other.
import { createOS } from '@memlayer/os-plan9'
import type { Source } from '../backend.js'

/** The pin. */
export const source: Source = { kind: 'pin', only: '@memlayer/os-plan9', load: () => ({ backend: { createOS } }) }
