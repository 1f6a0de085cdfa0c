// Turns an error number into a sentence that a person can act on.
import { EACCES, EAGAIN, ENOMEM } from './defs.js'

const wrongRange: string =
  'Check that no other code unmaps this range. ' +
  'The kernel refuses, because the range is not what this layer mapped.'

/** What to do about a refusal, and its most likely cause. `isNew`: the call asked for a new range. */
export function refusalHint(errno: number, isNew: boolean): string {
  if (errno === EAGAIN) return "Raise the limit with 'ulimit -l'. The process may lock no more memory."
  if (errno === EACCES) return 'Check the security policy. It forbids this user to map memory.'
  if (errno !== ENOMEM) {
    return isNew ? 'Look up the error number. The kernel gives no other reason.' : wrongRange
  }
  return (
    'Free memory or ask for less. `lsps -s` shows the paging space that is left, ' +
    'and `ulimit -a` and /etc/security/limits show what the user may have.'
  )
}
