// The numbers of my-os. A break needs but one: what its refusals are called.

// <errno.h>
export const ENOMEM = 12
