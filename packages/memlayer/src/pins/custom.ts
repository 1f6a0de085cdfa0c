// "#os" under the export condition memlayer-os-custom: a third party's backend, installed under the name
// @memlayer/os-custom. We publish no package of that name: npm install @memlayer/os-custom@npm:<theirs>.
import { createOS } from '@memlayer/os-custom'
import type { Source } from '../backend.js'

/** The pin. */
export const source: Source = { kind: 'pin', only: '@memlayer/os-custom', load: () => ({ backend: { createOS } }) }
