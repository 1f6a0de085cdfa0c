// Plan 9's one number, with its source. Go's brk_ answers with a negative number and no reason.

/** brk(2) fails for want of memory, or of room below the next segment; the number is POSIX's. */
export const ENOMEM = 12
