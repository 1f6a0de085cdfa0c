// memlayer/os: the chosen backend, for users who make a memory with their own options.
import type { OS } from '@memlayer/core'
import type { Attempt, Choice } from './choice.js'
import { host } from './host.js'

export { BackendError } from './errors.js'
export type { Attempt, Choice }

/** Options of a backend. Each backend's README lists its own. */
export type BackendOptions = Readonly<Record<string, unknown>>

/**
 * Calls createOS of the chosen backend: `createMemory(createOS({ madvDontNeed: false }))`. When os-js is only the
 * fallback, it does not get the options, because they are meant for the host's own backend.
 *
 * @throws BackendError ERR_MEMLAYER_BACKEND when no backend can be used.
 */
export function createOS(options: BackendOptions = {}): OS {
  const { backend, choice } = host()
  return choice.how === 'fallback' ? backend.createOS() : backend.createOS(options)
}

/**
 * The backend of this host, and the reason for it. The first call makes the choice.
 *
 * @throws BackendError ERR_MEMLAYER_BACKEND when no backend can be used.
 */
export function hostChoice(): Choice {
  return host().choice
}
