// "#os" under the export condition memlayer-os-custom: a backend of somebody else's, installed under the name
// @memlayer/os-custom, which is no package's own: npm install @memlayer/os-custom@npm:<theirs>.
import { createOS } from '@memlayer/os-custom'
import type { Source } from '../backend.js'

/** The pin. */
export const source: Source = { kind: 'pin', only: '@memlayer/os-custom', load: () => ({ backend: { createOS } }) }
