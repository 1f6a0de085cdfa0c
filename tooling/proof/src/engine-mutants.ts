// Mutants of os-engine that are wrong about what only it has: buffers of the engine, windows on them, and advice as the
// one thing that is asked of the kernel. mutants.ts lists them.
import type { Mutant } from './mutant.js'

const engine = 'engine'

/** By the promise that is broken. */
export const engineMutants: readonly Mutant[] = [
  {
    wrong: 'the trait says that views are detached, and they are windows that stay',
    subject: engine,
    find: "ends: 'zeroed',",
    put: "ends: 'detached',",
    caughtBy: 'contents/detached',
  },
  {
    wrong: 'a kept view shows the old bytes after sysUnused',
    subject: engine,
    find: /(#giveBack\(v, n\) \{[^]*?)this\.#advise\(v, n, DISCARD\)/,
    put: '$10',
    caughtBy: 'contents/detached',
  },
  {
    wrong: 'the trait says that states are mappings of their own',
    subject: engine,
    find: 'splitsMappings: false,',
    put: 'splitsMappings: true,',
    caughtBy: 'account/mappings',
  },
  {
    wrong: 'the trait ends has a word that no case knows',
    subject: engine,
    find: "ends: 'zeroed',",
    put: "ends: 'gone',",
    caughtBy: 'shape/traits',
  },
  {
    wrong: 'the buffer is dropped when a part of it is freed',
    subject: engine,
    find: 'if (space.owned === 0)',
    put: 'if (space.owned >= 0)',
    caughtBy: 'free/in-parts',
  },
  {
    wrong: 'a buffer is taken to begin a page too early, so that advice goes to its neighbor',
    subject: engine,
    find: 'placeBuffer(buffer, first);',
    put: 'placeBuffer(buffer, first - this.#pageSize);',
    caughtBy: 'unused/returns-memory',
  },
  {
    wrong: 'the error number of a buffer whose place is not known is handed out as an address',
    subject: engine,
    find: 'if (first < 0)',
    put: 'if (first === -1)',
    caughtBy: 'refusals/alloc',
  },
  {
    wrong: 'sysFree takes the memory of a buffer that was adopted',
    subject: engine,
    find: 'if (space.isThere === null)',
    put: 'if (space !== null)',
    caughtBy: 'adopt/contents',
  },
  {
    wrong: 'pages that an adopted buffer has lost are advised all the same',
    subject: engine,
    find: 'if (space.isThere?.() === false)\n            return 0;',
    put: '',
    caughtBy: 'adopt/lost',
  },
]
