// "#os" under the export condition memlayer-os-darwin: this backend and no other.
import { createOS } from '@memlayer/os-darwin'
import type { Source } from '../backend.js'

/** The pin. */
export const source: Source = { kind: 'pin', only: '@memlayer/os-darwin', load: () => ({ backend: { createOS } }) }
