// The error numbers that a kind of kernel refuses with, by the calls that it has.
import type { Subject } from './subject.js'

// ENOMEM, EAGAIN, EACCES, EINVAL: the same numbers on every POSIX system.
const posix = [12, 11, 13, 22]
// ERROR_NOT_ENOUGH_MEMORY, ERROR_COMMITMENT_LIMIT, ERROR_INVALID_ADDRESS.
const windows = [8, 1455, 487]

/** What calls are made to fail with; null: there is no kernel. */
export function errnosOf(subject: Subject): readonly number[] | null {
  if (subject.kernel === undefined) return null
  if (subject.errnos !== undefined) return subject.errnos
  const kernel = subject.kernel({ seed: 1 })
  if ('mmap' in kernel) return posix
  return 'virtualAlloc' in kernel ? windows : [12]
}
