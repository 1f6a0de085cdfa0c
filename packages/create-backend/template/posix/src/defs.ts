// The constants of my-os. Read each one in the named header, on the system itself. These are the values of
// Linux, so that the package runs before you have changed a line.

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

/** The process.platform of the system with these constants. They mean something else to another kernel. */
export const PLATFORM = 'linux'
