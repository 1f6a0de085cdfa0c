// What mmap, munmap, mprotect and madvise do on the POSIX kernel, by its personality. The order of the checks is
// Linux's, and the differential test compares it.
import { alignUp, errnos, isAligned, type Address } from '@memlayer/kernel'
import { ACCOUNTED, LOCKED, NO_HUGE_PAGES, NO_RESERVE } from './attribute.js'
import type { Commit } from './commit.js'
import { SimulationError } from './errors.js'
import type { Mapping } from './mappings.js'
import type { PosixLimitOptions } from './options.js'
import type { Advice, Personality, RangeRules } from './personality.js'
import type { Placer } from './place.js'
import type { Space } from './space.js'

const READ_WRITE = 3
const SHARED = 1
const PRIVATE = 2

/** The state that the calls work on. */
export interface PosixState {
  readonly personality: Personality
  readonly pageSize: number
  readonly space: Space
  readonly placer: Placer
  readonly commit: Commit
  readonly limits: Required<PosixLimitOptions>
  /** Whether every mapping is locked: mlockall(MCL_FUTURE). */
  readonly locksAll: boolean
}

/** The four calls. Each returns its value, or minus the error number. */
export class PosixCalls {
  readonly #personality: Personality
  readonly #errnos: Readonly<Record<string, number>>
  readonly #pageSize: number
  readonly #space: Space
  readonly #placer: Placer
  readonly #commit: Commit
  readonly #limits: Required<PosixLimitOptions>
  #locksAll: boolean
  // Shared objects by number: the bytes promised for each, and its bytes that are still mapped.
  readonly #objects = new Map<number, { readonly promised: number; mapped: number }>()
  #lastObject = 0
  #locked = 0
  #data = 0

  constructor(state: PosixState) {
    this.#personality = state.personality
    this.#errnos = errnos[state.personality.family]
    this.#pageSize = state.pageSize
    this.#space = state.space
    this.#placer = state.placer
    this.#commit = state.commit
    this.#limits = state.limits
    this.#locksAll = state.locksAll
  }

  /** From now on every new mapping is locked. */
  lockAll(): void {
    this.#locksAll = true
  }

  /** Bytes of private writable memory. */
  get data(): number {
    return this.#data
  }

  /** Minus an error number, by name. */
  #no(name: string): number {
    return -(this.#errnos[name] ?? this.#errnos['EINVAL'] ?? 22)
  }

  /** Maps memory. `at` overrides the address that the call asks for. */
  mmap([hint = 0, length = 0, prot = 0, flags = 0, , offset = 0]: number[], at: Address | undefined): number {
    const { flags: bits, knownProt, mapOver, commit } = this.#personality
    const { maps } = this.#space
    if (!isAligned(offset, this.#pageSize)) return this.#no('EINVAL')
    if ((flags & bits.anonymous) === 0) return this.#no('EBADF') // The simulator has no files.
    if ((flags & bits.unsupported) !== 0) unsupported('mmap', flags & bits.unsupported)
    if (length === 0) return this.#no('EINVAL')
    const n = alignUp(length, this.#pageSize)
    if (n >= 2 ** 64) return this.#no('ENOMEM')
    if (maps.count > maps.limit) return this.#no('ENOMEM')
    const isNoReplace = (flags & bits.noReplace) !== 0
    const isFixed = (flags & bits.fixed) !== 0 || isNoReplace
    let v = hint
    if (isFixed && at === undefined) {
      const errno = this.#fixedErrno(hint, n, isNoReplace)
      if (errno !== null) return this.#no(errno)
      if (mapOver !== null && !maps.isFree(v, v + n)) return this.#no(mapOver)
    } else {
      v = at !== undefined && this.#placer.isFree(at, n) ? at : this.#placer.choose(isFixed ? 0 : hint, n)
      if (v === -1) return this.#no('ENOMEM')
    }
    const sharing = flags & 0xf
    if (sharing !== SHARED && sharing !== PRIVATE) return this.#no('EINVAL')
    if (knownProt.mmap !== null && (prot & ~knownProt.mmap) !== 0) return this.#no('EINVAL')
    const isLocked = (flags & bits.locked) !== 0 || this.#locksAll
    if (isLocked && this.#locked + n > this.#limits.lockedMemory) return this.#no('EAGAIN')
    let attributes = isLocked ? LOCKED : 0
    if ((flags & bits.noReserve) !== 0 && this.#limits.overcommit !== 2) attributes |= NO_RESERVE
    if ((flags & bits.stack) !== 0) attributes |= NO_HUGE_PAGES
    const errno = this.#enter(v, n, prot & 7, attributes, sharing === SHARED)
    if (errno !== null) return this.#no(errno === 'commit' ? commit.errno : errno)
    if ((isLocked || (flags & bits.populate) !== 0) && (prot & 7) !== 0) {
      this.#space.populate(v, v + n, (prot & 2) !== 0 && sharing === PRIVATE ? 'write' : 'read')
    }
    return v
  }

  /** The error for a fixed address, or null. The order of the checks is Linux's. */
  #fixedErrno(v: Address, n: number, isNoReplace: boolean): string | null {
    const { highest, lowest, fixedOutside } = this.#personality
    if (v + n > highest) return fixedOutside
    if (!isAligned(v, this.#pageSize)) return 'EINVAL'
    if (v < lowest) return 'EPERM'
    return isNoReplace && !this.#space.maps.isFree(v, v + n) ? 'EEXIST' : null
  }

  /** Maps [v, v+n) in place of the old mappings. `'commit'` means that so much can't be promised. */
  #enter(v: Address, n: number, prot: number, attributes: number, isShared: boolean): string | null {
    const { maps } = this.#space
    const end = v + n
    // As on Linux, the cuts stay even if the call is refused.
    if (!maps.cutOut(v, end)) return 'ENOMEM'
    const replaced = maps.over(v, end)
    const replacedBytes = replaced.reduce((sum, mapping) => sum + bytesOf(mapping), 0)
    if (maps.bytes - replacedBytes + n > this.#limits.addressSpace) return 'ENOMEM'
    // What is replaced makes room for as much, even where it was not writable.
    const isData = countsAsData(isShared, prot)
    if (isData && !this.#hasData(n - replacedBytes)) return 'ENOMEM'
    const counts = this.#counts(prot, attributes, isShared)
    const gained = replaced.reduce((sum, mapping) => sum + promisedFor(mapping), 0)
    if (counts && !this.#commit.promise(Math.max(n - gained, 0))) return 'commit'
    if (counts) this.#commit.release(Math.max(n - gained, 0))
    this.#left(this.#space.unmap(v, end, (prot & READ_WRITE) === READ_WRITE))
    if (counts) this.#commit.promise(n)
    let object = 0
    if (isShared) {
      object = ++this.#lastObject
      this.#objects.set(object, { promised: counts ? n : 0, mapped: n })
    } else if (counts) {
      attributes |= ACCOUNTED
    }
    if ((attributes & LOCKED) !== 0) this.#locked += n
    if (isData) this.#data += n
    this.#space.map({ start: v, end, prot, attributes, object, anon: 0 })
    return null
  }

  /** Unmaps memory. */
  munmap(v: Address, n: number): number {
    const rules = this.#personality.munmap
    const range = this.#range(rules, v, n)
    if (typeof range === 'number') return range
    const [start, end] = range
    if (rules.hole !== 'skipped' && !this.#space.maps.isWhole(start, end)) return this.#no(rules.hole.errno)
    if (!this.#space.maps.cutOut(start, end)) return this.#no('ENOMEM')
    this.#left(this.#space.unmap(start, end, false))
    return 0
  }

  /** Changes protection. */
  mprotect(v: Address, n: number, prot: number): number {
    const { mprotect: rules, knownProt } = this.#personality
    const range = this.#range(rules, v, n)
    if (typeof range === 'number') return range
    if (knownProt.mprotect !== null && (prot & ~knownProt.mprotect) !== 0) return this.#no('EINVAL')
    return this.#walk(rules, range, (mapping, from, to) => this.#protect(mapping, from, to, prot & 7))
  }

  /** Changes one mapping's part of a protection. Returns 0, or minus the error number. */
  #protect(mapping: Mapping, v: Address, end: Address, prot: number): number {
    const { counts } = this.#personality.commit
    const isData = countsAsData(mapping.object !== 0, prot)
    const wasData = countsAsData(mapping.object !== 0, mapping.prot)
    if (isData && !wasData && !this.#hasData(end - v)) return this.#no('ENOMEM')
    let { attributes } = mapping
    let promised = 0
    if (counts === 'writable') {
      const wasCounted =
        (attributes & (ACCOUNTED | NO_RESERVE)) !== 0 || (mapping.prot & 2) !== 0 || mapping.object !== 0
      if ((prot & 2) !== 0 && !wasCounted) {
        if (!this.#commit.promise(end - v)) return this.#no('ENOMEM')
        promised = end - v
        attributes |= ACCOUNTED
      } else if ((prot & 2) === 0 && mapping.object === 0 && mapping.anon === 0) {
        attributes &= ~ACCOUNTED
      }
    }
    if (prot === mapping.prot && attributes === mapping.attributes) return 0
    const isLocked = (mapping.attributes & LOCKED) !== 0
    const becomesOwn = isLocked && mapping.object === 0 && (mapping.prot & 2) === 0 && (prot & 2) !== 0
    const isReleased = (mapping.attributes & ACCOUNTED) !== 0 && (attributes & ACCOUNTED) === 0
    if (!this.#space.maps.change(mapping, v, end, prot, attributes)) {
      this.#commit.release(promised)
      return this.#no('ENOMEM')
    }
    if (isReleased) this.#commit.release(end - v)
    if (isData !== wasData) this.#data += isData ? end - v : v - end
    if ((prot & READ_WRITE) !== READ_WRITE) this.#space.detach(v, end)
    // Locked memory that becomes writable gets private pages at once.
    if (becomesOwn) this.#space.populate(v, end, 'write')
    return 0
  }

  /** Tells how memory will be used. */
  madvise(v: Address, n: number, number: number): number {
    const { madvise: rules, advice } = this.#personality
    const what = advice.get(number)
    if (what === undefined) return this.#no('EINVAL')
    const range = this.#range(rules, v, n)
    if (typeof range === 'number') return range
    // Populating stops at the first page that can't be touched.
    const hole = what.does === 'populate' ? { errno: 'ENOMEM', effect: 'before it' as const } : rules.hole
    return this.#walk({ ...rules, hole }, range, (mapping, from, to) => this.#advise(what, mapping, from, to))
  }

  /** Applies an advice to one mapping's part. Returns 0, or minus the error number. */
  #advise(advice: Advice, mapping: Mapping, v: Address, end: Address): number {
    const isShared = mapping.object > 0
    const isLocked = (mapping.attributes & LOCKED) !== 0
    switch (advice.does) {
      case 'nothing':
        return 0
      case 'mark':
        if (isShared && advice.on !== undefined) return advice.on === 'private' ? this.#no('EINVAL') : 0
        return this.#mark(mapping, v, end, (mapping.attributes & ~advice.clears) | advice.sets)
      case 'discard':
        if (isLocked && advice.locked === 'EINVAL') return this.#no('EINVAL')
        // Shared bytes are not lost, because only this mapping's pages go.
        if (isShared) this.#space.residence.drop(v, end)
        else this.#space.discard(v, end)
        return 0
      case 'forfeit':
        if (isShared || isLocked) return this.#no('EINVAL')
        this.#space.forfeit(v, end)
        return 0
      case 'reuse':
        this.#space.reuse(v, end)
        return 0
      case 'populate':
        if ((mapping.prot & (advice.access === 'write' ? 2 : 1)) === 0) return this.#no('EINVAL')
        this.#space.populate(v, end, advice.access)
        return 0
      case 'collapse':
        return this.#space.collapse(mapping, v, end) ? 0 : this.#no('EINVAL')
      case 'age':
        if (isLocked) return this.#no('EINVAL')
        this.#space.splitFolios(v, end)
        if (advice.reclaims && isShared) this.#space.residence.drop(v, end)
        else if (advice.reclaims) this.#space.takeForfeit(v, end)
        return 0
      case 'remove':
        if (!isShared || isLocked) return this.#no('EINVAL')
        this.#space.discard(v, end)
        return 0
    }
  }

  #mark(mapping: Mapping, v: Address, end: Address, attributes: number): number {
    if (attributes === mapping.attributes) return 0
    // madvise answers EAGAIN where the other calls answer ENOMEM.
    return this.#space.maps.change(mapping, v, end, mapping.prot, attributes) ? 0 : this.#no('EAGAIN')
  }

  /** The whole pages of a range, or the answer when the call returns at once. */
  #range(rules: RangeRules, v: Address, n: number): [start: Address, end: Address] | number {
    if (rules.unaligned === 'EINVAL' && !isAligned(v, this.#pageSize)) return this.#no('EINVAL')
    if (n === 0) return rules.empty === 'done' ? 0 : this.#no('EINVAL')
    const [start, end] = this.#space.pages(v, n)
    if (end > this.#personality.highest && rules.outside !== 'a hole') return this.#no(rules.outside)
    return [start, end]
  }

  /** Calls `each` for the mappings of a range, and treats holes by the rules. */
  #walk(
    { hole }: RangeRules,
    [start, end]: [Address, Address],
    each: (mapping: Mapping, v: Address, end: Address) => number,
  ): number {
    const { maps } = this.#space
    if (hole !== 'skipped' && hole.effect === 'none' && !maps.isWhole(start, end)) return this.#no(hole.errno)
    let isWhole = true
    for (let at = start; at < end;) {
      const mapping = maps.from(at)
      if (mapping === undefined || mapping.start > at) {
        isWhole = false
        if (hole !== 'skipped' && hole.effect === 'before it') break
        at = Math.min(mapping?.start ?? end, end)
        continue
      }
      const stop = Math.min(mapping.end, end)
      const answer = each(mapping, at, stop)
      if (answer !== 0) return answer
      at = stop
    }
    return isWhole || hole === 'skipped' ? 0 : this.#no(hole.errno)
  }

  /** Whether RLIMIT_DATA has room for `n` more bytes. */
  #hasData(n: number): boolean {
    return !this.#personality.countsData || n <= 0 || this.#data + n <= this.#limits.dataSize
  }

  /** Whether a new mapping is counted as committed. */
  #counts(prot: number, attributes: number, isShared: boolean): boolean {
    const { counts } = this.#personality.commit
    if (counts === 'nothing' || (attributes & NO_RESERVE) !== 0) return false
    return counts === 'unless NORESERVE' || isShared || (prot & 2) !== 0
  }

  /** Frees the promises and locks of mappings that are gone. */
  #left(gone: readonly Mapping[]): void {
    for (const mapping of gone) {
      const n = bytesOf(mapping)
      this.#commit.release(promisedFor(mapping))
      if (countsAsData(mapping.object !== 0, mapping.prot)) this.#data -= n
      if ((mapping.attributes & LOCKED) !== 0) this.#locked -= n
      const object = this.#objects.get(mapping.object)
      if (object === undefined) continue
      object.mapped -= n
      if (object.mapped > 0) continue
      this.#commit.release(object.promised)
      this.#objects.delete(mapping.object)
    }
  }
}

function bytesOf({ start, end }: Mapping): number {
  return end - start
}

/** Whether RLIMIT_DATA counts a mapping: private writable memory. */
function countsAsData(isShared: boolean, prot: number): boolean {
  return !isShared && (prot & 2) !== 0
}

function promisedFor(mapping: Mapping): number {
  return (mapping.attributes & ACCOUNTED) === 0 ? 0 : bytesOf(mapping)
}

function unsupported(fn: string, bits: number): never {
  throw new SimulationError(
    'ERR_MEMLAYER_SIM_UNSUPPORTED',
    `${fn}: no simulated kernel supports the flags 0x${bits.toString(16)}`,
    'Leave the flags out, or run on a real kernel.',
  )
}
