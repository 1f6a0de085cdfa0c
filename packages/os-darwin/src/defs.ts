// Darwin's numbers, one row each, with the header that defines it. It answers to defs_darwin_*.go.

// <sys/mman.h>
export const PROT_NONE = 0x0
export const PROT_READ = 0x1
export const PROT_WRITE = 0x2

export const MAP_PRIVATE = 0x0002
export const MAP_FIXED = 0x0010
export const MAP_ANON = 0x1000

export const MADV_FREE_REUSABLE = 7
export const MADV_FREE_REUSE = 8

// <sys/errno.h>
export const ENOMEM = 12
