// memlayer/engine: the API of `memory` over memory that the JavaScript engine owns. It is for Linux, macOS
// and Windows.
import { createOS } from '@memlayer/os-engine'
import { ENGINE, mayServe, type Attempt, type Choice } from './choice.js'
import { environment } from './environment.js'
import { BackendError } from './errors.js'
import { lazyMemory, type HostMemory } from './lazy-memory.js'
import { checkRequirement, type Requirement } from './requirement.js'

export type { Attempt, Choice, HostMemory, Requirement }
export { adopt, type Adopted, type AdoptOptions, type BufferHolder, type ModuleAllocator } from '@memlayer/os-engine'

const choice: Choice = { backend: ENGINE, how: 'pin', reason: 'the program imports memlayer/engine' }

let made: ReturnType<typeof createOS> | undefined

/** The backend of this thread. @throws BackendError ERR_MEMLAYER_BACKEND on a system that it does not know. */
function host(): { readonly choice: Choice; readonly os: ReturnType<typeof createOS> } {
  const { platform = 'unknown' } = environment()
  if (!mayServe(ENGINE, platform)) {
    const hint = "Import { memory } from 'memlayer', which has a backend for this host."
    throw new BackendError(`memlayer/engine is for Linux, macOS and Windows, and process.platform is ${platform}`, hint)
  }
  return { choice, os: (made ??= createOS()) }
}

function requireNative(wanted: Requirement): void {
  checkRequirement(wanted)
  void host()
}

/**
 * Memory that the JavaScript engine owns, one for a thread, with the methods of `memory` of memlayer. Its views are
 * windows on a SharedArrayBuffer: they never dangle, and cost a tenth of a microsecond. A view that is kept after its
 * pages went back reads zero.
 *
 * Every member throws what core's `Memory` says, and BackendError ERR_MEMLAYER_BACKEND on another system than Linux,
 * macOS and Windows.
 */
export const memory: HostMemory = lazyMemory({ host, require: requireNative })
