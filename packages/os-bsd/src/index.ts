// @memlayer/os-bsd: memlayer's backend for FreeBSD, DragonFly, NetBSD, OpenBSD, Solaris, illumos.
export type { Flavor } from './defs.js'
export { createOS, type BsdOptions } from './mem.js'
