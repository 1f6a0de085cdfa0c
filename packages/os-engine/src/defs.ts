// Linux's advice and error numbers, one row each, with the header that defines it.

// asm-generic/mman-common.h
export const MADV_DONTNEED = 4
export const MADV_HUGEPAGE = 14
export const MADV_NOHUGEPAGE = 15
export const MADV_POPULATE_WRITE = 23 // since Linux 5.14

// asm-generic/errno-base.h
export const EPERM = 1
export const ENOMEM = 12
export const EINVAL = 22

// asm-generic/errno.h
export const ENOSYS = 38
