// The numbers of my-os: each is to be read in the header that is named, on the system itself. These are
// Linux's, so that all of this runs before you have changed a line.

// <sys/mman.h>
export const PROT_NONE = 0x0
export const PROT_READ = 0x1
export const PROT_WRITE = 0x2
export const MAP_PRIVATE = 0x02
export const MAP_FIXED = 0x10
export const MAP_ANON = 0x20
export const MADV_DONTNEED = 4

// <errno.h>
export const ENOMEM = 12

/** What process.platform is where these numbers hold: another kernel reads them as something else. */
export const PLATFORM = 'linux'
