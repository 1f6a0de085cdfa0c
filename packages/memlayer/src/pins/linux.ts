// "#os" under the export condition memlayer-os-linux: this backend and no other.
import { createOS } from '@memlayer/os-linux'
import type { Source } from '../backend.js'

/** The pin. */
export const source: Source = { kind: 'pin', only: '@memlayer/os-linux', load: () => ({ backend: { createOS } }) }
