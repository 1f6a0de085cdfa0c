// Turns an error number into a sentence that a person can act on.
import { ENOMEM } from './defs.js'

const wrongRange: string =
  'Check that no other code unmaps this range. ' +
  'The kernel refuses, because the range is not what this layer mapped.'

/** What to do about a refusal, and its most likely cause. `isNew`: the call asked for a new range. */
export function refusalHint(errno: number, isNew: boolean): string {
  if (errno !== ENOMEM) {
    return isNew ? 'Look up the error number. The kernel gives no other reason.' : wrongRange
  }
  return (
    'Free memory or ask for less. `vm_stat` and `sysctl vm.swapusage` show what the host has left, ' +
    'and `ulimit -v` shows what the process may map.'
  )
}
