// Makes this host's choice at the first use and keeps it, so that one thread uses one backend.
import { source } from '#os'
import { environment } from './environment.js'
import { resolve, type Resolved } from './resolve.js'

let resolved: Resolved | undefined

/** The choice of this thread. @throws BackendError ERR_MEMLAYER_BACKEND when no backend can be used. */
export function host(): Resolved {
  resolved ??= resolve(source, environment())
  return resolved
}
