// From an error number to a sentence that a person can act on.
import { EACCES, EAGAIN, ENOMEM } from './defs.js'

/** What most likely stood in the way, and what to do about it. */
export function refusalHint(errno: number): string {
  if (errno === EAGAIN) return "The process may lock no more memory: raise it with 'ulimit -l'."
  if (errno === EACCES) return 'A security policy forbids mapping memory to this user.'
  if (errno !== ENOMEM) return 'The kernel does not take this range: it is not what was mapped.'
  return 'Free memory or ask for less; `lsps -s` shows the paging space that is left, `ulimit -a` and /etc/security/limits what the user may have.'
}
