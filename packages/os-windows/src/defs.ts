// Windows' numbers, one row each, with the header that defines it. It answers to the constants at the head of
// mem_windows.go.

// winnt.h
export const MEM_COMMIT = 0x1000
export const MEM_RESERVE = 0x2000
export const MEM_DECOMMIT = 0x4000
export const MEM_RELEASE = 0x8000
export const MEM_RESET = 0x80000

export const PAGE_READWRITE = 0x04

// winerror.h
export const ERROR_ACCESS_DENIED = 5
export const ERROR_NOT_ENOUGH_MEMORY = 8
export const ERROR_INVALID_PARAMETER = 87
export const ERROR_INVALID_ADDRESS = 487
export const ERROR_COMMITMENT_MINIMUM = 635
export const ERROR_PAGEFILE_QUOTA = 1454
export const ERROR_COMMITMENT_LIMIT = 1455

/**
 * The errors that mean that there is no memory to commit. Go knows 8 and 1455. A page file that is still growing
 * answers 635. A job or a user with a quota answers 1454. Wine answers 5 where a limit of its host refuses memory for
 * pages that were reserved, and Windows has no other reason to deny access to them.
 */
export const outOfMemoryErrors: readonly number[] = [
  ERROR_ACCESS_DENIED,
  ERROR_NOT_ENOUGH_MEMORY,
  ERROR_COMMITMENT_MINIMUM,
  ERROR_PAGEFILE_QUOTA,
  ERROR_COMMITMENT_LIMIT,
]
