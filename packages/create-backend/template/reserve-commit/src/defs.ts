// The constants of my-os. Read each one in the named header, on the system itself. These are the values of
// Windows, so that the package runs before you have changed a line.

// <memoryapi.h>
export const MEM_COMMIT = 0x1000
export const MEM_RESERVE = 0x2000
export const MEM_DECOMMIT = 0x4000
export const MEM_RELEASE = 0x8000
export const PAGE_READWRITE = 0x04

// <winerror.h>: the errors that mean that memory is short, not that the call was wrong.
export const outOfMemoryErrors: readonly number[] = [8, 635, 1454, 1455]

/** The process.platform of the system with these constants. They mean something else to another kernel. */
export const PLATFORM = 'win32'
