// Turns an error number into a sentence that a person can act on.
import { ENOMEM } from './defs.js'

/** What to do about a refusal, and its most likely cause. */
export function refusalHint(errno: number): string {
  if (errno !== ENOMEM)
    return 'Check that no other code unmaps this range. The kernel refuses it, because it is not what was mapped.'
  return (
    'Free memory or ask for less. `vm_stat` and `sysctl vm.swapusage` show what the host has left, ' +
    'and `ulimit -v` shows what the process may map.'
  )
}
