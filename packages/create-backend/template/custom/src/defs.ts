// The constants of my-os: the error numbers of its kernel's refusals.
export const ENOMEM = 12
export const EINVAL = 22

/** Bytes in a page. */
export const PAGE = 4096
