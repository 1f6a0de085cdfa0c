// Finds the pages of V8's heap by the description that V8 writes at the start of each. linux-owners.ts asks.
//
// This is fragile, because the layout of that description is V8's own and changes with its versions. In another
// layout a page is missed, or memory of others looks like the heap. So only the builds listed here are read. On
// other engines no page is told, and core's explain uses what the engine says of its heap. v8-pages.test.ts
// compares the pages with V8's figures on every listed build. It fails when the workspace moves to another build.
import { alignUp, type Address } from '@memlayer/kernel'

/** The words at an address; null: they can't be read. The next call overwrites them. */
export type Peek = (address: Address) => BigUint64Array | null

/** V8's pages begin at multiples of this. A page is larger only when one object needs more. */
export const v8PageBytes: number = 2 ** 18
/**
 * The description of a page ends, and its objects begin, within this many bytes. The last object ends as near
 * to the page's end.
 */
const headerBytesMax = 2 ** 15
/** No page is larger, however large its one object is. */
const pageBytesMax = 2 ** 40

/** The builds of V8 whose pages were seen to be found: its version, and how the runtime marks its own build. */
const knownBuilds: readonly (readonly [version: string, mark: string])[] = [
  // Node 22, 24 and 26.
  ['12.4', '-node'],
  ['13.6', '-node'],
  ['14.6', '-node'],
  // Deno 2.9.
  ['15.0', '-rusty'],
]
/** Processors with words of 64 bits, low byte first. */
const knownProcessors: readonly string[] = ['x64', 'arm64', 'riscv64', 'loong64']

/** Whether V8's pages can be found in this process: `process.versions` and `process.arch`. */
export function hasKnownPages(versions: Readonly<Record<string, string | undefined>>, arch: string): boolean {
  // Bun names a version of V8 too, but its engine is another one.
  if (versions['bun'] !== undefined || !knownProcessors.includes(arch)) return false
  const v8 = versions['v8'] ?? ''
  return knownBuilds.some(([version, mark]) => v8.startsWith(`${version}.`) && v8.includes(mark))
}

/** Where the page of V8 at `at` ends; null: it is not a page of V8. `words` are the first ones at `at`. */
export function v8PageEnd(at: Address, words: BigUint64Array, peek: Peek): Address | null {
  if (at % v8PageBytes !== 0) return null
  // The page's flags are half a word.
  if ((words[0] as bigint) >= 2n ** 32n) return null
  // In V8 12 the description follows the flags. Later versions have a pointer to it there.
  const last = endOfObjects(words, at) ?? endOfObjects(peek(Number(words[1])), at)
  return last === null ? null : Math.max(at + v8PageBytes, alignUp(last, 4096))
}

/**
 * Where the objects of a page end, by its description; null: this is not a description. It has the address of
 * the first object, which is a little behind the page's start, and the address of the end of the last. The page's
 * size stands two words before the first object's address in V8 12. In V8 13 and later it stands before the end.
 */
function endOfObjects(words: BigUint64Array | null, page: Address): Address | null {
  for (let i = 2; words !== null && i < words.length; i++) {
    const first = Number(words[i])
    if (first <= page || first > page + headerBytesMax) continue
    for (const [end, size] of [
      [i + 1, i - 2],
      [i - 2, i - 3],
    ] as const) {
      const last = Number(words[end])
      if (last > first && isPageOf(Number(words[size]), last - page)) return last
    }
  }
  return null
}

/**
 * Whether a page of so many bytes has objects up to `used`. Small blocks of an allocator have addresses near them as
 * well, and no such size.
 */
function isPageOf(size: number, used: number): boolean {
  return size % 4096 === 0 && size <= pageBytesMax && used <= size && size - used < headerBytesMax
}
