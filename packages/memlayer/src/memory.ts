// `memory`: the memory of this host, made at its first use. Importing it costs nothing, and loads nothing native.
import { host, requireOfHost } from './host.js'
import { lazyMemory, type HostMemory } from './lazy-memory.js'

/**
 * The operating system's memory on this host, one for a thread. The first use chooses the backend: `memory.os.name`
 * says which system, `memory.choice` which package and why.
 *
 * Every member throws what core's `Memory` says, and at the first use BackendError ERR_MEMLAYER_BACKEND when no backend
 * serves this host.
 */
export const memory: HostMemory = lazyMemory({ host, require: requireOfHost })
