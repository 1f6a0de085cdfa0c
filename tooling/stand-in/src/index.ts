// @memlayer/stand-in: real pages behind another Unix's calls, for the tests of its backend.
export { standIn, type StandIn, type StandInOptions } from './stand-in.js'
export { countedLinux } from './counted.js'
export type { Unix } from './unix.js'
export { disagreement, live } from './life.js'
export { blankBase, blankKernel } from './blank.js'
