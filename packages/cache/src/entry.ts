// The layout of an entry: one object of the heap. A header of 24 bytes comes first, then the time when it expires if it
// has one, then the key's bytes, then the value's. Elements are those of the heap's i32, from `handle * 2` on.

/** The hash of its key. */
export const hashAt = 0
/** The next entry of its chain in the index. */
export const chainAt = 1
/** The entries of its queue that came after it and before it. */
export const newerAt = 2
export const olderAt = 3
/** Bits 0, 1: uses. Bit 2: its queue. Bits 3, 4: what its key was. Bit 5: it expires. From bit 8: the key's length. */
export const wordAt = 4
/** The value's bytes. */
export const valueAt = 5

export const headerBytes = 24
/** The bytes of the time, an f64. It is element `handle + 3` of the heap's f64. */
export const expiryBytes = 8
export const expiryAt = 3

export const usesMask = 3
/** In the main queue. */
export const mainBit = 4
/** It expires. */
export const timedBit = 32

/** Where the bytes of the key begin in the heap's u8. */
export function keyStart(handle: number, word: number): number {
  return handle * 8 + headerBytes + ((word & timedBit) === 0 ? 0 : expiryBytes)
}
