// The numbers of my-os: what its kernel refuses with.
export const ENOMEM = 12
export const EINVAL = 22

/** Bytes in a page. */
export const PAGE = 4096
