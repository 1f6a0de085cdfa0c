// @memlayer/witness: the kernel's own account of memory, for tests, the tour and the benchmark.
export { runChild, type ChildEnd, type ChildOptions } from './child.js'
export { bytesWith, mappings, mappingsIn, processResident, residentBytes, type Mapping } from './maps.js'
