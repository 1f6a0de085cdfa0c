// Plan 9's one number, with its source. Go's brk_ answers a negative number without a reason.

/** brk(2) fails when memory is short, or room below the next segment. The number is POSIX's. */
export const ENOMEM = 12
