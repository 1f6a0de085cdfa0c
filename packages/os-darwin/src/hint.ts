// From an error number to a sentence that a person can act on.
import { ENOMEM } from './defs.js'

/** What most likely stood in the way, and what to do about it. */
export function refusalHint(errno: number): string {
  if (errno !== ENOMEM) return 'The kernel does not take this range: it is not what was mapped.'
  return 'Free memory or ask for less; `vm_stat` and `sysctl vm.swapusage` show what the host has left, `ulimit -v` what the process may map.'
}
