// The error numbers with which each kind of kernel refuses. Its functions tell the kind.
import type { Subject } from './subject.js'

// ENOMEM, EAGAIN, EACCES, EINVAL. Every POSIX system has the same numbers.
const posix = [12, 11, 13, 22]
// ERROR_NOT_ENOUGH_MEMORY, ERROR_COMMITMENT_LIMIT, ERROR_INVALID_ADDRESS.
const windows = [8, 1455, 487]

// EPERM, and ENOSYS of Linux, of macOS and the BSDs, of Solaris and mips, of AIX: a filter of system calls, or an old
// kernel, refuses with them.
const otherPosix = [1, 38, 78, 89, 109]
// ERROR_ACCESS_DENIED, ERROR_INVALID_PARAMETER, ERROR_NO_SYSTEM_RESOURCES.
const otherWindows = [5, 87, 1450]

// EACCES and EINVAL; ERROR_INVALID_ADDRESS. None of them says that memory is short.
const broken = [13, 22, 487]

/** Why a case about refused calls does not run over a subject without a kernel. */
export const NO_KERNEL = 'the subject has no kernel, so no call can be refused'

/** The error numbers for calls that must fail; null: the subject has no kernel. */
export function errnosOf(subject: Subject): readonly number[] | null {
  if (subject.kernel === undefined) return null
  if (subject.errnos !== undefined) return subject.errnos
  const kernel = subject.kernel({ seed: 1 })
  if ('mmap' in kernel) return posix
  return 'virtualAlloc' in kernel ? windows : [12]
}

/** More error numbers with which this kind of kernel may refuse, for reasons that are rare. */
export function otherErrnosOf(subject: Subject): readonly number[] {
  if (subject.kernel === undefined || subject.errnos !== undefined) return []
  const kernel = subject.kernel({ seed: 1 })
  if ('mmap' in kernel) return otherPosix
  return 'virtualAlloc' in kernel ? otherWindows : []
}

/** Those of the error numbers that never mean that there is no memory. Empty: not known for this kind of kernel. */
export function brokenErrnosOf(subject: Subject): readonly number[] {
  if (subject.errnos !== undefined) return []
  return (errnosOf(subject) ?? []).filter((errno) => broken.includes(errno))
}
