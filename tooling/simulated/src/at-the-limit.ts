// Records what a Linux answers at vm.max_map_count. It fills an arena with mappings of one page, and then makes every
// call that would need one more mapping.
import type { PosixKernel } from '@memlayer/kernel'

const PAGE = 4096
const BASE = 0x10_0000_0000
const MADV_DONTDUMP = 16
// FIXED is MAP_ANON, MAP_PRIVATE and MAP_FIXED. The mapping of the whole arena also gets MAP_NORESERVE.
const FIXED = 0x32
const NORESERVE = 0x4000

/** How far the kernel let the arena be filled, and its answers after that. */
export interface AtTheLimit {
  /** The page at which the kernel refused one more mapping. */
  readonly filled: number
  readonly answers: readonly number[]
}

/** Fills an arena until the kernel refuses, which happens before `limit` mappings, and makes more calls then. */
export function answersAtTheLimit(kernel: PosixKernel, limit: number): AtTheLimit {
  const pages = 2 * limit + 64
  if (kernel.mmap(BASE, pages * PAGE, 0, FIXED | NORESERVE, -1, 0) !== BASE)
    throw new Error(`the kernel refused to map the arena of ${pages} pages at 0x${BASE.toString(16)}: use another BASE`)
  let filled = 1
  while (filled < pages - 32 && kernel.mprotect(BASE + filled * PAGE, PAGE, 3) === 0) filled += 2
  const at = (page: number): number => BASE + page * PAGE
  const answers = [
    // A hole, another protection, another attribute: each would cut the last mapping into three.
    kernel.munmap(at(pages - 8), PAGE),
    kernel.mprotect(at(pages - 8), PAGE, 1),
    kernel.madvise(at(pages - 8), PAGE, MADV_DONTDUMP),
    // Unmapping one end of a mapping does not add a mapping. Protecting one end does.
    kernel.munmap(at(pages - 1), PAGE),
    kernel.mprotect(at(pages - 2), PAGE, 1),
    // A call that joins neighbours or replaces a whole mapping does not add a mapping.
    kernel.mprotect(at(1), PAGE, 0),
    kernel.mprotect(at(1), PAGE, 3),
    kernel.mmap(at(3), PAGE, 3, FIXED, -1, 0) - BASE,
    kernel.mmap(at(pages - 8), PAGE, 3, FIXED, -1, 0),
    // After this unmapping, there is room for one more mapping.
    kernel.munmap(at(5), PAGE),
    kernel.mprotect(at(pages - 8), PAGE, 1),
    kernel.mprotect(at(pages - 4), PAGE, 1),
  ]
  kernel.munmap(BASE, pages * PAGE)
  return { filled, answers }
}
