// The numbers of my-os: each is to be read in the header that is named, on the system itself. These are
// Windows', so that all of this runs before you have changed a line.

// <memoryapi.h>
export const MEM_COMMIT = 0x1000
export const MEM_RESERVE = 0x2000
export const MEM_DECOMMIT = 0x4000
export const MEM_RELEASE = 0x8000
export const PAGE_READWRITE = 0x04

// <winerror.h>: what says that there is no more, and not that the call was wrong.
export const outOfMemoryErrors: readonly number[] = [8, 635, 1454, 1455]

/** What process.platform is where these numbers hold: another kernel reads them as something else. */
export const PLATFORM = 'win32'
