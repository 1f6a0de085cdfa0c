// A PosixKernel that takes another Unix's flag words and gives its error numbers, over the real pages of
// this Linux. It refuses what that Unix refuses, and throws where a backend would reach memory that it was
// never given: that would be the test runner's own.
import { posixKernel } from '@memlayer/ffi'
import { alignDown, alignUp, errnoName, errnos, isAligned, type Address, type PosixKernel } from '@memlayer/kernel'
import { Ranges } from './ranges.js'
import { unixes, type Unix, type UnixFacts } from './unix.js'

/** A kernel, and what it has handed out. */
export interface StandIn {
  /** Hand this to a backend. */
  readonly kernel: PosixKernel
  /** The bytes that are mapped through it now. */
  mappedBytes(): number
}

// Linux's: asm-generic/mman-common.h. MAP_PRIVATE is 2 everywhere.
const PRIVATE = 0x02
const ANONYMOUS = 0x20
const FIXED = 0x10
const NORESERVE = 0x4000

/** How it differs from the Unix that is most at hand. */
export interface StandInOptions {
  /** The page size of another processor, a multiple of this host's. */
  readonly pageSize?: number
  /** Advice that a later kernel of that Unix has, and the Linux advice that does the same. */
  readonly later?: ReadonlyMap<number, number>
}

/** Linux in the place of `unix`. */
export function standIn(unix: Unix, { pageSize, later }: StandInOptions = {}): StandIn {
  const known = unixes[unix]
  const facts = {
    ...known,
    pageSize: pageSize ?? known.pageSize,
    advice: new Map([...known.advice, ...(later ?? [])]),
  }
  const kernel = new StandInKernel(facts, posixKernel())
  return { kernel, mappedBytes: () => kernel.mapped.bytes }
}

class StandInKernel implements PosixKernel {
  readonly pageSize: number
  readonly hugePageSize = 0
  readonly mapped = new Ranges()
  // Pages that the JavaScript engine has mapped: they are advised, and never mapped over or unmapped.
  readonly #engine = new Ranges()
  readonly #unix: UnixFacts
  readonly #host: PosixKernel

  constructor(unix: UnixFacts, host: PosixKernel) {
    this.pageSize = unix.pageSize
    this.#unix = unix
    this.#host = host
  }

  mmap(addr: Address, length: number, prot: number, flags: number, fd: number, offset: number): number {
    const { anonymous, fixed, noReserve } = this.#unix
    const n = alignUp(length, this.pageSize)
    if (!(n > 0) || fd !== -1 || offset !== 0) return this.#errno('EINVAL')
    if ((flags & ~(PRIVATE | anonymous | fixed | noReserve)) !== 0) return this.#errno('EINVAL')
    if ((flags & PRIVATE) === 0 || (flags & anonymous) === 0) return this.#errno('EINVAL')
    const words = PRIVATE | ANONYMOUS | ((flags & noReserve) === 0 ? 0 : NORESERVE)
    const p = (flags & fixed) === 0 ? this.#mapAnywhere(addr, n, prot, words) : this.#mapOver(addr, n, prot, words)
    if (p >= 0) this.mapped.add(p, p + n)
    return p
  }

  munmap(addr: Address, length: number): number {
    const n = alignUp(length, this.pageSize)
    if (!isAligned(addr, this.pageSize) || !(n > 0)) return this.#errno('EINVAL')
    this.#demandOwn('munmap', addr, n)
    const answer = this.#translate(this.#host.munmap(addr, n))
    if (answer === 0) this.mapped.remove(addr, addr + n)
    return answer
  }

  mprotect(addr: Address, length: number, prot: number): number {
    return this.#onMapped(addr, length, (n) => this.#host.mprotect(addr, n, prot))
  }

  madvise(addr: Address, length: number, advice: number): number {
    const meant = this.#unix.advice.get(advice)
    if (meant === undefined) return this.#errno('EINVAL')
    // Advice on no bytes is how a program asks whether it is known.
    if (length === 0) return isAligned(addr, this.pageSize) ? 0 : this.#errno('EINVAL')
    const size = alignUp(length, this.pageSize)
    if (isAligned(addr, this.pageSize) && this.#engine.covers(addr, addr + size)) {
      return this.#translate(this.#host.madvise(addr, size, meant))
    }
    return this.#onMapped(addr, length, (n) => this.#host.madvise(addr, n, meant))
  }

  view(addr: Address, length: number): ArrayBuffer {
    return this.#host.view(addr, length)
  }

  /** The pages of a buffer that the engine has mapped may be advised from now on. */
  addressOf(buffer: ArrayBufferLike): Address {
    const first = this.#host.addressOf?.(buffer) ?? NaN
    const { maxByteLength } = buffer as ArrayBuffer
    if (first > 0) this.#engine.add(alignDown(first, this.pageSize), first + maxByteLength)
    return first
  }

  read(addr: Address, target: Uint8Array): void {
    target.set(new Uint8Array(this.#host.view(addr, target.byteLength)))
  }

  write(addr: Address, source: Uint8Array): void {
    new Uint8Array(this.#host.view(addr, source.byteLength)).set(source)
  }

  #mapOver(addr: Address, n: number, prot: number, words: number): number {
    if (!isAligned(addr, this.pageSize)) return this.#errno('EINVAL')
    if (!this.#unix.mapsOver && this.mapped.meets(addr, addr + n)) return this.#errno('EINVAL')
    this.#demandOwn('mmap', addr, n)
    return this.#translate(this.#host.mmap(addr, n, prot, words | FIXED, -1, 0))
  }

  /** At the hint if it is free, else where the host likes, on this Unix's larger page. */
  #mapAnywhere(hint: Address, n: number, prot: number, words: number): number {
    if (hint !== 0) {
      const p = this.#host.mmap(hint, n, prot, words, -1, 0)
      if (p < 0 || isAligned(p, this.pageSize)) return this.#translate(p)
      void this.#host.munmap(p, n)
    }
    const spare = this.pageSize - this.#host.pageSize
    const p = this.#host.mmap(0, n + spare, prot, words, -1, 0)
    if (p < 0) return this.#translate(p)
    const aligned = alignUp(p, this.pageSize)
    if (aligned > p) void this.#host.munmap(p, aligned - p)
    const rest = p + spare - aligned
    if (rest > 0) void this.#host.munmap(aligned + n, rest)
    return aligned
  }

  #onMapped(addr: Address, length: number, call: (n: number) => number): number {
    if (!isAligned(addr, this.pageSize)) return this.#errno('EINVAL')
    const n = alignUp(length, this.pageSize)
    return this.mapped.covers(addr, addr + n) ? this.#translate(call(n)) : this.#errno('ENOMEM')
  }

  #demandOwn(call: string, addr: Address, n: number): void {
    if (this.mapped.covers(addr, addr + n)) return
    throw new Error(`${call}(0x${addr.toString(16)}, ${n}) reaches memory that this kernel has not mapped`)
  }

  #errno(name: string): number {
    return -(errnos[this.#unix.family][name] as number)
  }

  /** Linux's answer in this Unix's numbers. */
  #translate(answer: number): number {
    return answer < 0 ? this.#errno(errnoName('linux', -answer)) : answer
  }
}
