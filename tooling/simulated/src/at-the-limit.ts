// What a Linux says when it has as many mappings as it may: an arena is filled with mappings of
// one page, and then asked for one more in every way there is.
import type { PosixKernel } from '@memlayer/kernel'

const PAGE = 4096
const BASE = 0x10_0000_0000
const MADV_DONTDUMP = 16
// MAP_ANON, MAP_PRIVATE, MAP_FIXED; MAP_NORESERVE for the whole.
const FIXED = 0x32
const NORESERVE = 0x4000

/** How far the arena could be filled, and what was answered then. */
export interface AtTheLimit {
  /** The page at which one more was refused. */
  readonly filled: number
  readonly answers: readonly number[]
}

/** Fills an arena until the kernel refuses, which is before `limit` mappings, and asks on. */
export function answersAtTheLimit(kernel: PosixKernel, limit: number): AtTheLimit {
  const pages = 2 * limit + 64
  if (kernel.mmap(BASE, pages * PAGE, 0, FIXED | NORESERVE, -1, 0) !== BASE)
    throw new Error('there is no room for the arena')
  let filled = 1
  while (filled < pages - 32 && kernel.mprotect(BASE + filled * PAGE, PAGE, 3) === 0) filled += 2
  const at = (page: number): number => BASE + page * PAGE
  const answers = [
    // One more hole, one more protection, one more attribute: each would cut the last mapping in three.
    kernel.munmap(at(pages - 8), PAGE),
    kernel.mprotect(at(pages - 8), PAGE, 1),
    kernel.madvise(at(pages - 8), PAGE, MADV_DONTDUMP),
    // To take an end off makes no more than there were; to protect one does.
    kernel.munmap(at(pages - 1), PAGE),
    kernel.mprotect(at(pages - 2), PAGE, 1),
    // What joins a neighbour costs nothing, and what replaces a whole mapping neither.
    kernel.mprotect(at(1), PAGE, 0),
    kernel.mprotect(at(1), PAGE, 3),
    kernel.mmap(at(3), PAGE, 3, FIXED, -1, 0) - BASE,
    kernel.mmap(at(pages - 8), PAGE, 3, FIXED, -1, 0),
    // Below the limit again, for one.
    kernel.munmap(at(5), PAGE),
    kernel.mprotect(at(pages - 8), PAGE, 1),
    kernel.mprotect(at(pages - 4), PAGE, 1),
  ]
  kernel.munmap(BASE, pages * PAGE)
  return { filled, answers }
}
