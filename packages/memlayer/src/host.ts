// Makes this host's choice at the first use and keeps it, so that one thread uses one backend.
import { source } from '#os'
import { JS } from './choice.js'
import { environment } from './environment.js'
import { BackendError } from './errors.js'
import { checkRequirement, type Requirement } from './requirement.js'
import { resolve, type Resolved } from './resolve.js'

let resolved: Resolved | undefined

/** The choice of this thread. @throws BackendError ERR_MEMLAYER_BACKEND when no backend can be used. */
export function host(): Resolved {
  resolved ??= resolve(source, environment())
  return resolved
}

/**
 * Makes the choice, and demands what `wanted` says. A choice that was made before is looked at again.
 *
 * @throws UsageError ERR_MEMLAYER_OPTION when the requirement is not known.
 * @throws BackendError ERR_MEMLAYER_BACKEND when this host does not meet it.
 */
export function requireOfHost(wanted: Requirement): void {
  checkRequirement(wanted)
  resolved ??= resolve(source, { ...environment(), strict: true, strictBy: 'memory.require()' })
  const { choice } = resolved
  if (choice.backend !== JS) return
  const { hint } = choice.tried?.[0] ?? { hint: 'Run on a host with a backend of its own, without MEMLAYER_OS=js.' }
  throw new BackendError(`require: the backend is ${JS}, because ${choice.reason}`, hint)
}
