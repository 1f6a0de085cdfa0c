// Finds the owners of memory that the kernel has no name for, by what they write where it begins. Owners are
// malloc, which maps a large block by itself, and V8, for the heaps of all threads. The rest stays nameless: it
// is what foreign code has mapped, and other memories. The part about V8 is fragile: v8-pages.ts says why, what
// happens on an engine that it does not know, and how that is noticed. linux-process.ts asks.
import { alignDown, residencyBits, type Address, type ProcessMapping } from '@memlayer/kernel'
import type { Engine } from './engine.js'
import { scratch, shared, sharedDescriptor } from './linux-table.js'
import { hasKnownPages, v8PageBytes, v8PageEnd, type Peek } from './v8-pages.js'

/** The port's `residency`. */
export type ResidencyCall = (v: Address, n: number) => number[] | null

/** A mapping, and whether the kernel does not tell its owner. */
export interface NamedMapping extends ProcessMapping {
  readonly isNameless: boolean
}

/** How many bytes are read where an owner may have written. */
const peekBytes = 128

/** Cuts the nameless mappings where an owner begins. `blocks`: the bytes of malloc's blocks among them. */
export type Owners = (mappings: readonly NamedMapping[]) => {
  readonly mappings: readonly ProcessMapping[]
  readonly blocks: number
}

/**
 * `hasBlocks`: whether malloc is glibc's, which maps large blocks one by one. `isKnown`: whether V8's pages can be
 * found. Where none is found, no mapping is told to be the engine's.
 */
export function openOwners(
  engine: Engine,
  residency: ResidencyCall,
  hasBlocks: boolean = true,
  isKnown: boolean = hasKnownPages(process.versions, process.arch),
): Owners {
  const ownerAt = openSearch(openPeek(engine), hasBlocks, isKnown)
  return (mappings) => {
    const found = mappings.map((mapping) =>
      mapping.isNameless && mapping.resident > 0
        ? piecesOf(mapping, new Resident(mapping, residency), ownerAt)
        : [mapping],
    )
    const named = found.flatMap((pieces, i) => (mappings[i]?.isNameless === true ? pieces : []))
    const blocks = named.filter(({ kind }) => kind === 'malloc').reduce((sum, { size }) => sum + size, 0)
    // Without pages of the heap, the engine's code would be taken for all that the engine has.
    const isTold = named.some(({ kind }) => kind === 'engine')
    return { mappings: isTold ? found.flat() : found.flat().map(withoutEngine), blocks }
  }
}

function withoutEngine(mapping: ProcessMapping): ProcessMapping {
  return mapping.kind === 'engine' ? { ...mapping, kind: 'anonymous' } : mapping
}

function piecesOf(mapping: ProcessMapping, resident: Resident, ownerAt: Search): ProcessMapping[] {
  const end = mapping.address + mapping.size
  const pieces: ProcessMapping[] = []
  for (let at = mapping.address; at < end;) {
    const before = pieces.at(-1)
    // malloc's blocks begin where a mapping does, or behind another owner's memory.
    const mayBeBlock = before?.kind !== 'anonymous'
    const owner = resident.from(at) < nextPage(at) ? ownerAt(at, end, mayBeBlock) : null
    // An owner writes where its memory begins. A part that is not resident has no owner.
    const stop = Math.min(
      end,
      owner?.end ?? Math.max(nextPage(at), alignDown(Math.min(resident.from(at), end), v8PageBytes)),
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
  // A mapping with one owner keeps the kernel's own sum.
  return pieces.length === 1 ? pieces.map((piece) => ({ ...piece, resident: mapping.resident })) : pieces
}

const nextPage = (at: Address): Address => alignDown(at, v8PageBytes) + v8PageBytes

interface Owner {
  readonly kind: 'malloc' | 'engine'
  readonly end: Address
}

/** Finds who owns the memory from `at` on; null: it is not told. */
type Search = (at: Address, end: Address, mayBeBlock: boolean) => Owner | null

function openSearch(peek: Peek, hasBlocks: boolean, isKnown: boolean): Search {
  return (at, end, mayBeBlock) => {
    const words = peek(at)
    if (words === null) return null
    const block = hasBlocks && mayBeBlock ? blockSize(words) : 0
    if (block > 0 && at + block <= end) return { kind: 'malloc', end: at + block }
    const last = isKnown ? v8PageEnd(at, words, peek) : null
    return last === null ? null : { kind: 'engine', end: last }
  }
}

/**
 * The size of a block by glibc's struct malloc_chunk; 0: it is not a block. The first word is the size of the
 * block before, which is 0 here. The second is its own size, whose bit 1 says that the block is mapped.
 */
function blockSize(words: BigUint64Array): number {
  const own = words[1] as bigint
  return words[0] === 0n && (own & 0xfffn) === 2n ? Number(own - 2n) : 0
}

/** The resident parts of a mapping. The questions have to come in order of address. */
class Resident {
  /** Three numbers a run, as the port's `residency` has them. */
  readonly #words: readonly number[]
  #next = 0

  constructor({ address, size }: ProcessMapping, residency: ResidencyCall) {
    // Where the kernel does not tell, all of it counts.
    this.#words = residency(address, size) ?? [address, size, residencyBits.resident]
  }

  /** The first resident byte from `at` on; Infinity: there is none. */
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

/** Reads by the kernel, because another thread may unmap memory at any moment. A load would end the process then. */
function openPeek(engine: Engine): Peek {
  const buffer: Address = scratch(engine, peekBytes)
  if (buffer === 0) return () => null
  const bytes = new Uint8Array(engine.view(buffer, peekBytes))
  new TextEncoder().encodeInto('/proc/self/mem\0', bytes)
  const open = engine.func(null, 'open', 'int', ['address', 'int'])
  const fd = sharedDescriptor(engine, shared.mem, () => open(buffer, 0x80000))
  if (fd < 0) return () => null
  const pread = engine.func(null, 'pread', 'address', ['int', 'address', 'size', 'offset'])
  const words = new BigUint64Array(bytes.buffer, bytes.byteOffset, peekBytes / 8)
  return (address) =>
    Number.isSafeInteger(address) && pread(fd, buffer, peekBytes, address) === peekBytes ? words : null
}
