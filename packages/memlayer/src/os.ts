// memlayer/os: the backend that was chosen, for a memory with options of one's own.
import type { OS } from '@memlayer/core'
import type { Attempt, Choice } from './choice.js'
import { host } from './host.js'

export { BackendError } from './errors.js'
export type { Attempt, Choice }

/** Options of a backend: each one's README lists its own. */
export type BackendOptions = Readonly<Record<string, unknown>>

/**
 * The chosen backend's own createOS: `createMemory(createOS({ madvDontNeed: false }))`. os-js, where it serves
 * because the host's own can't be had, takes none of that one's options, and is made without.
 *
 * @throws BackendError ERR_MEMLAYER_BACKEND when no backend can be had.
 */
export function createOS(options: BackendOptions = {}): OS {
  const { backend, choice } = host()
  return choice.how === 'fallback' ? backend.createOS() : backend.createOS(options)
}

/**
 * The backend of this host, and why it is that one. The first call makes the choice.
 *
 * @throws BackendError ERR_MEMLAYER_BACKEND when none can be had.
 */
export function hostChoice(): Choice {
  return host().choice
}
