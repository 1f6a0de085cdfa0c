// @memlayer/witness reads the kernel's own account of memory, for tests, the tour and the benchmark.
export { runChild, type ChildEnd, type ChildOptions } from './child.js'
export { isLong } from './long.js'
export { random, type Random } from './random.js'
export { testSeed } from './seed.js'
export { bytesWith, mappings, mappingsIn, presentPages, processResident, residentBytes, type Mapping } from './maps.js'
export { bytesInState, pageRange, pageRangesIn, type PageRange, type PageState } from './virtual-query.js'
export { errorOf } from './error-of.js'
export { otherNode, type Skipping } from './other-node.js'
