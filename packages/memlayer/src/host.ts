// The choice of this host, made at the first use and kept: whoever uses memlayer in one thread uses one backend.
import { source } from '#os'
import { environment } from './environment.js'
import { resolve, type Resolved } from './resolve.js'

let resolved: Resolved | undefined

/** @throws BackendError ERR_MEMLAYER_BACKEND when none can be had. */
export function host(): Resolved {
  resolved ??= resolve(source, environment())
  return resolved
}
