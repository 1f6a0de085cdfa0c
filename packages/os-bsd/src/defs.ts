// The numbers of six kernels, one row each, with a column for each flavor. It answers to defs_freebsd_*.go,
// defs_dragonfly_amd64.go, defs_netbsd_*.go, defs_openbsd_*.go and defs_solaris_amd64.go, which illumos shares.

/** The kernels that this backend knows. */
export type Flavor = 'freebsd' | 'dragonfly' | 'netbsd' | 'openbsd' | 'solaris' | 'illumos'

/** Their names, in the order of the columns. */
export const flavors: readonly Flavor[] = ['freebsd', 'dragonfly', 'netbsd', 'openbsd', 'solaris', 'illumos']

type Row = Readonly<Record<Flavor, number>>

// These have one number on all six. <sys/mman.h>
export const PROT_NONE = 0
export const PROT_READ = 1
export const PROT_WRITE = 2
export const MAP_PRIVATE = 0x02
export const MAP_FIXED = 0x10

// <sys/errno.h>
export const ENOMEM = 12

//                            freebsd dragonfly netbsd openbsd solaris illumos
export const MAP_ANON: Row = row(0x1000, 0x1000, 0x1000, 0x1000, 0x100, 0x100) // <sys/mman.h>

/** 0 means that the flag is not passed, because a BSD sets no swap space aside for mapped memory. */
export const MAP_NORESERVE: Row = row(0, 0, 0, 0, 0x40, 0x40) // <sys/mman.h>

export const MADV_FREE: Row = row(5, 5, 6, 6, 5, 5) // <sys/mman.h>
export const EAGAIN: Row = row(35, 35, 35, 35, 11, 11) // <sys/errno.h>

function row(
  freebsd: number,
  dragonfly: number,
  netbsd: number,
  openbsd: number,
  solaris: number,
  illumos: number,
): Row {
  return { freebsd, dragonfly, netbsd, openbsd, solaris, illumos }
}
