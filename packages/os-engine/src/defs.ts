// Advice and error numbers of the three systems, one row each, with the header that defines it.

// Linux: asm-generic/mman-common.h
export const MADV_DONTNEED = 4
export const MADV_HUGEPAGE = 14
export const MADV_NOHUGEPAGE = 15
export const MADV_POPULATE_WRITE = 23 // since Linux 5.14

// Linux: asm-generic/errno-base.h. ENOMEM and EINVAL are macOS's as well: <sys/errno.h>
export const EPERM = 1
export const ENOMEM = 12
export const EINVAL = 22

// Linux: asm-generic/errno.h
export const ENOSYS = 38

// macOS: <sys/mman.h>
export const MADV_FREE_REUSABLE = 7
export const MADV_FREE_REUSE = 8
export const MADV_ZERO = 11 // an older kernel answers EINVAL

// Windows: winnt.h
export const MEM_COMMIT = 0x1000
export const MEM_RESET = 0x80000
export const PAGE_READWRITE = 0x04

// Windows: winerror.h
export const ERROR_INVALID_PARAMETER = 87

/** Windows: the errors that mean that there is no memory to commit, as in @memlayer/os-windows. */
export const outOfMemoryErrors: readonly number[] = [
  5, // ERROR_ACCESS_DENIED, which only Wine answers here
  8, // ERROR_NOT_ENOUGH_MEMORY
  635, // ERROR_COMMITMENT_MINIMUM
  1454, // ERROR_PAGEFILE_QUOTA
  1455, // ERROR_COMMITMENT_LIMIT
]
