// Turns an error number into a sentence that a person can act on.
import { EACCES, EAGAIN, ENOMEM } from './defs.js'

/** What to do about a refusal, and its most likely cause. */
export function refusalHint(errno: number): string {
  if (errno === EAGAIN) return "Raise the limit with 'ulimit -l'. The process may lock no more memory."
  if (errno === EACCES) return 'Check the security policy. It forbids this user to map memory.'
  if (errno !== ENOMEM)
    return 'Check that no other code unmaps this range. The kernel refuses it, because it is not what was mapped.'
  return (
    'Free memory or ask for less. `lsps -s` shows the paging space that is left, ' +
    'and `ulimit -a` and /etc/security/limits show what the user may have.'
  )
}
