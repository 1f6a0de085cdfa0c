// All backends that are wrong on purpose. `npm run mutants` and its test run each of them.
import { addressSpaceMutants } from './address-space-mutants.js'
import { engineMutants } from './engine-mutants.js'
import { freeMemoryMutants } from './free-memory-mutants.js'
import { memoryMutants } from './memory-mutants.js'
import type { Mutant } from './mutant.js'

const linux = 'linux'
const plan9 = 'plan9'

/** Every mutant, by the function that is wrong. The last ones are wrong in a function that does not change memory. */
export const mutants: readonly Mutant[] = [
  ...memoryMutants,
  ...addressSpaceMutants,
  ...freeMemoryMutants,
  ...engineMutants,
  {
    wrong: 'mappings are counted twice',
    subject: linux,
    find: 'this.host = kernel;',
    put: [
      'const mappings = () => ({ used: 2 * kernel.mappings().used, limit: 2 * kernel.mappings().limit });',
      'this.host = { mappings };',
    ].join('\n'),
    caughtBy: 'account/mappings',
  },
  {
    wrong: 'read copies from the start of the page',
    subject: linux,
    find: 'this.host = kernel;',
    put: [
      'const read = (v, target) => kernel.read(v + kernel.pageSize, target);',
      'this.host = { read, write: (v, source) => kernel.write(v, source) };',
    ].join('\n'),
    caughtBy: 'contents/copies',
  },
  {
    wrong: 'a view begins a page too far',
    subject: 'freebsd',
    find: 'view(v, n) {\n        return this.#kernel.view(v, n);',
    put: 'view(v, n) {\n        return this.#kernel.view(n > 4096 ? v + 4096 : v, n);',
    caughtBy: 'contents/view-range',
  },
  {
    wrong: 'the traits are not frozen',
    subject: linux,
    find: 'this.traits = Object.freeze({',
    put: 'this.traits = ({',
    caughtBy: 'shape/traits',
  },
  {
    wrong: 'state belongs to the module: two backends share one break',
    subject: plan9,
    find: /this\.#bloc\b/g,
    put: 'Plan9.bloc',
    and: ['#bloc;', 'static bloc;'],
    caughtBy: 'shape/instances',
  },
]
