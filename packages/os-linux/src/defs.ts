// Linux's numbers, one row each, with the header that defines it. It answers to defs_linux_*.go.

// asm-generic/mman-common.h
export const PROT_NONE = 0
export const PROT_READ = 1
export const PROT_WRITE = 2

export const MAP_PRIVATE = 0x02
export const MAP_FIXED = 0x10

/** The number by Node's process.arch. mips kept IRIX's number, arch/mips/include/uapi/asm/mman.h. */
export const MAP_ANON: { readonly generic: number; readonly mips: number } = { generic: 0x20, mips: 0x800 }

/** Overcommit does not count the mapping, unless it is strict. mips kept IRIX's number. */
export const MAP_NORESERVE: { readonly generic: number; readonly mips: number } = { generic: 0x4000, mips: 0x400 }

export const MADV_NORMAL = 0
export const MADV_DONTNEED = 4
export const MADV_FREE = 8 // since Linux 4.5
export const MADV_HUGEPAGE = 14
export const MADV_NOHUGEPAGE = 15
export const MADV_POPULATE_WRITE = 23 // since Linux 5.14

// asm-generic/errno-base.h
export const EPERM = 1
export const EAGAIN = 11
export const ENOMEM = 12
export const EACCES = 13
export const EINVAL = 22

/** asm-generic/errno.h. mips kept IRIX's number. */
export const ENOSYS: { readonly generic: number; readonly mips: number } = { generic: 38, mips: 89 }
