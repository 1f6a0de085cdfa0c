// AIX's numbers, one row each, with the header that defines it. It answers to defs_aix_ppc64.go. MAP_ANON has the
// number that other systems give MAP_FIXED, and the other way round.

// <sys/mman.h>
export const PROT_NONE = 0
export const PROT_READ = 1
export const PROT_WRITE = 2

export const MAP_PRIVATE = 0x2
export const MAP_ANON = 0x10
/** This backend never passes it, because AIX refuses to map over a mapping. */
export const MAP_FIXED = 0x100

export const MADV_DONTNEED = 4

// <errno.h>
export const EAGAIN = 11
export const ENOMEM = 12
export const EACCES = 13
