// The constants of my-os. A break needs only one: the error number of a refusal.

// <errno.h>
export const ENOMEM = 12
