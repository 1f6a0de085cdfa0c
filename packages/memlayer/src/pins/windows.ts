// "#os" under the export condition memlayer-os-windows: this backend and no other.
import { createOS } from '@memlayer/os-windows'
import type { Source } from '../backend.js'

/** The pin. */
export const source: Source = { kind: 'pin', only: '@memlayer/os-windows', load: () => ({ backend: { createOS } }) }
