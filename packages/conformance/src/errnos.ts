// The error numbers with which each kind of kernel refuses. Its functions tell the kind.
import type { Subject } from './subject.js'

/** The error numbers of a kind of kernel: the usual ones, out of memory first, and those that are rare. */
interface Numbers {
  readonly usual: readonly number[]
  readonly rare: readonly number[]
}

const posix: Numbers = {
  // ENOMEM, EAGAIN, EACCES, EINVAL. Every POSIX system has the same numbers.
  usual: [12, 11, 13, 22],
  // EPERM, and ENOSYS of Linux, of macOS and the BSDs, of Solaris and mips, of AIX: a filter of system calls, or an old
  // kernel, refuses with them.
  rare: [1, 38, 78, 89, 109],
}

const windows: Numbers = {
  // ERROR_NOT_ENOUGH_MEMORY, ERROR_COMMITMENT_LIMIT, ERROR_INVALID_ADDRESS.
  usual: [8, 1455, 487],
  // ERROR_ACCESS_DENIED, ERROR_INVALID_PARAMETER, ERROR_NO_SYSTEM_RESOURCES.
  rare: [5, 87, 1450],
}

const other: Numbers = { usual: [12], rare: [] }

// EACCES and EINVAL; ERROR_INVALID_ADDRESS. None of them says that memory is short.
const broken = [13, 22, 487]

/** Why a case about refused calls does not run over a subject without a kernel. */
export const NO_KERNEL = 'the subject has no kernel, so no call can be refused'

function numbersOf(subject: Subject): Numbers | null {
  if (subject.kernel === undefined) return null
  if (subject.errnos !== undefined) return { usual: subject.errnos, rare: [] }
  const kernel = subject.kernel({ seed: 1 })
  if ('mmap' in kernel) return posix
  return 'virtualAlloc' in kernel ? windows : other
}

/** The error numbers for calls that must fail; null: the subject has no kernel. */
export function errnosOf(subject: Subject): readonly number[] | null {
  return numbersOf(subject)?.usual ?? null
}

/** More error numbers with which this kind of kernel may refuse, for reasons that are rare. */
export function otherErrnosOf(subject: Subject): readonly number[] {
  return numbersOf(subject)?.rare ?? []
}

/** Those of the error numbers that never mean that there is no memory. Empty: not known for this kind of kernel. */
export function brokenErrnosOf(subject: Subject): readonly number[] {
  if (subject.errnos !== undefined) return []
  return (errnosOf(subject) ?? []).filter((errno) => broken.includes(errno))
}
