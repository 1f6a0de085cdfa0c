// Who has memory that the kernel has no name for, by what is written where it begins: a block that malloc
// has mapped for it alone, or a page of V8's heap, whichever thread's, in use or kept for later. The rest
// stays nameless: foreign code's own mappings, and other memories. Called by linux-process.ts.
import { alignDown, alignUp, residencyBits, type Address, type ProcessMapping } from '@memlayer/kernel'
import type { Engine } from './engine.js'

/** What of a range has memory behind it, as the port's `residency`. */
export type ResidencyCall = (v: Address, n: number) => number[] | null

/** A mapping, and whether the kernel leaves open whose it is. */
export interface NamedMapping extends ProcessMapping {
  readonly isNameless: boolean
}

/** V8's pages begin at multiples of this, and have this size where no single object needs more. */
const V8_PAGE = 2 ** 18
/** How far into a page V8's own description of it may reach, before objects begin. */
const V8_HEADER = 2 ** 15
/** No page is larger, however large its one object. */
const V8_MOST = 2 ** 40
/** Bytes looked at where an owner may have written. */
const PEEK = 128

/** The mappings, those without a name cut where another owner begins; and the bytes of malloc's blocks among them. */
type Owners = (mappings: readonly NamedMapping[]) => {
  readonly mappings: readonly ProcessMapping[]
  readonly blocks: number
}

/** Reads by way of the kernel: another thread may unmap memory at any moment, and a load would then end the process. */
export function openOwners(engine: Engine, residency: ResidencyCall): Owners {
  const peek = openPeek(engine)
  return (mappings) => {
    const found = mappings.map((mapping) =>
      mapping.isNameless && mapping.resident > 0
        ? piecesOf(mapping, new Resident(mapping, residency), peek)
        : [mapping],
    )
    // What was nameless and is malloc's now.
    const blocks = found.flatMap((pieces, i) =>
      mappings[i]?.isNameless === true ? pieces.filter(({ kind }) => kind === 'malloc') : [],
    )
    return { mappings: found.flat(), blocks: blocks.reduce((sum, { size }) => sum + size, 0) }
  }
}

function piecesOf(mapping: ProcessMapping, resident: Resident, peek: Peek): ProcessMapping[] {
  const end = mapping.address + mapping.size
  const pieces: ProcessMapping[] = []
  for (let at = mapping.address; at < end;) {
    const before = pieces.at(-1)
    const owner = resident.from(at) < nextPage(at) ? ownerAt(at, end, before?.kind !== 'anonymous', peek) : null
    // Whoever has memory has written where it begins: where nothing is resident there is nothing to read.
    const stop = Math.min(
      end,
      owner?.end ?? Math.max(nextPage(at), alignDown(Math.min(resident.from(at), end), V8_PAGE)),
    )
    const kind = owner?.kind ?? 'anonymous'
    const piece: ProcessMapping = { address: at, size: stop - at, resident: resident.within(at, stop), kind }
    if (before?.kind !== kind) pieces.push(piece)
    else
      pieces[pieces.length - 1] = {
        ...before,
        size: before.size + piece.size,
        resident: before.resident + piece.resident,
      }
    at = stop
  }
  // Its own sum, where all of it is one's.
  return pieces.length === 1 ? pieces.map((piece) => ({ ...piece, resident: mapping.resident })) : pieces
}

const nextPage = (at: Address): Address => alignDown(at, V8_PAGE) + V8_PAGE

interface Owner {
  readonly kind: 'malloc' | 'engine'
  readonly end: Address
}

/** `followsOwner`: malloc's blocks begin where a mapping does, or behind what somebody owns. */
function ownerAt(at: Address, end: Address, followsOwner: boolean, peek: Peek): Owner | null {
  const words = peek(at)
  if (words === null) return null
  const block = followsOwner ? blockSize(words) : 0
  if (block > 0 && at + block <= end) return { kind: 'malloc', end: at + block }
  if (at % V8_PAGE !== 0) return null
  const flags = words[0] as bigint
  // V8's flags are half a word. Up to Node 22 the description stands behind them, later behind a pointer there.
  if (flags >= 2n ** 32n) return null
  const last = endOfObjects(words, at) ?? endOfObjects(peek(Number(words[1])), at)
  return last === null ? null : { kind: 'engine', end: Math.max(at + V8_PAGE, alignUp(last, 4096)) }
}

/** glibc's struct malloc_chunk: the size of the block before, 0 here, then its own, whose bit 1 says that it is mapped. */
function blockSize(words: BigUint64Array): number {
  const own = words[1] as bigint
  return words[0] === 0n && (own & 0xfffn) === 2n ? Number(own - 2n) : 0
}

/**
 * Where the objects of a page end, by V8's description of it; null: it is none. It has where they begin, a little
 * behind the page's own start, and the end right behind that (Node 22) or two words before (24, 26).
 */
function endOfObjects(words: BigUint64Array | null, page: Address): Address | null {
  for (let i = 0; words !== null && i < words.length; i++) {
    const first = Number(words[i])
    if (first <= page || first > page + V8_HEADER) continue
    const last = [words[i + 1], words[i - 2]].map(Number).find((word) => word > first && word < page + V8_MOST)
    if (last !== undefined) return last
  }
  return null
}

/** What of a mapping is resident; asked in order of address. */
class Resident {
  /** Three numbers a run, as the port has them. */
  readonly #words: readonly number[]
  #next = 0

  constructor({ address, size }: ProcessMapping, residency: ResidencyCall) {
    // All of it, where that is not to be known.
    this.#words = residency(address, size) ?? [address, size, residencyBits.resident]
  }

  /** The first byte at `at` or behind it that is resident; Infinity: none. */
  from(at: Address): Address {
    const words = this.#words
    while (this.#next < words.length && (this.#endOf(this.#next) <= at || !this.#isResident(this.#next)))
      this.#next += 3
    return this.#next < words.length ? Math.max(at, words[this.#next] as number) : Infinity
  }

  /** The resident bytes of [start, end). */
  within(start: Address, end: Address): number {
    let sum = 0
    for (let i = this.#next; i < this.#words.length && (this.#words[i] as number) < end; i += 3) {
      if (this.#isResident(i)) sum += Math.min(this.#endOf(i), end) - Math.max(this.#words[i] as number, start)
    }
    return sum
  }

  #endOf(i: number): Address {
    return (this.#words[i] as number) + (this.#words[i + 1] as number)
  }

  #isResident(i: number): boolean {
    return ((this.#words[i + 2] as number) & residencyBits.resident) !== 0
  }
}

/** The words at an address; null: they can't be read. */
type Peek = (address: Address) => BigUint64Array | null

function openPeek(engine: Engine): Peek {
  const buffer: Address = engine.func(null, 'calloc', 'address', ['size', 'size'])(1, PEEK)
  if (buffer === 0) return () => null
  const bytes = new Uint8Array(engine.view(buffer, PEEK))
  new TextEncoder().encodeInto('/proc/self/mem\0', bytes)
  const fd = engine.func(null, 'open', 'int', ['address', 'int'])(buffer, 0x80000)
  if (fd < 0) return () => null
  const pread = engine.func(null, 'pread', 'address', ['int', 'address', 'size', 'offset'])
  const words = new BigUint64Array(bytes.buffer, bytes.byteOffset, PEEK / 8)
  return (address) => (Number.isSafeInteger(address) && pread(fd, buffer, PEEK, address) === PEEK ? words : null)
}
