// A POSIX kernel behind the port: it counts calls, follows a plan, and can be inspected. posix-calls.ts says what
// the calls do.
import { alignDown, type Address, type PosixKernel, type PosixLimits } from '@memlayer/kernel'
import { attributeLetters, HUGE_PAGES, NO_HUGE_PAGES, protText } from './attribute.js'
import { Commit } from './commit.js'
import { describe } from './describe.js'
import type { Access } from './errors.js'
import type { Mapping } from './mappings.js'
import type { PosixLimitOptions, PosixOptions } from './options.js'
import type { Personality } from './personality.js'
import { Placer } from './place.js'
import {
  checkLimit,
  checkPageSize,
  checkPart,
  checkSeed,
  Plan,
  unsigned,
  wrong,
  type Counters,
  type PlannedFault,
} from './plan.js'
import { PosixCalls } from './posix-calls.js'
import { Random } from './random.js'
import type { Residency, SimulatedMapping, SimulatedPosixKernel } from './simulated.js'
import { Space } from './space.js'

/** A simulated POSIX kernel. */
export class SimulatedPosix implements SimulatedPosixKernel, PosixKernel {
  readonly os: string
  readonly seed: number
  readonly pageSize: number
  readonly hugePageSize: number
  readonly arch: string
  readonly madviseAll?: (ranges: ArrayLike<number>, advice: number) => number
  readonly residency?: (addr: Address, length: number) => number[]
  readonly hugePages?: (addr: Address, length: number) => number
  readonly #personality: Personality
  readonly #space: Space
  readonly #calls: PosixCalls
  readonly #plan: Plan
  readonly #commit: Commit
  readonly #limits: Required<PosixLimitOptions>
  // Whether forfeit pages count as resident until they are taken. Darwin's reusable pages don't.
  readonly #countsForfeit: boolean

  constructor(personality: Personality, options: PosixOptions) {
    const { seed = 1, plan = [], layout = {}, transparentHugePages = 'madvise', locksAll = false } = options
    this.os = personality.os
    this.arch = personality.arch
    this.seed = checkSeed(seed)
    this.pageSize = checkPageSize('pageSize', options.pageSize ?? personality.pageSize)
    this.hugePageSize = options.hugePageSize ?? personality.hugePageSize
    if (this.hugePageSize !== 0) checkPageSize('hugePageSize', this.hugePageSize)
    if (!['always', 'madvise', 'never'].includes(transparentHugePages)) {
      wrong('transparentHugePages', transparentHugePages, "Pass 'always', 'madvise' or 'never'.")
    }
    this.#limits = limitsOf(options.limits ?? {}, personality)
    this.#countsForfeit = [...personality.advice.values()].every(
      (advice) => advice.does !== 'forfeit' || advice.counted,
    )
    this.#personality = personality
    this.#commit = new Commit(...commitLimits(personality, this.#limits))
    const batches = personality.batches && (options.batches ?? true)
    const calls = ['mmap', 'munmap', 'mprotect', 'madvise', ...(batches ? ['madviseAll'] : [])]
    this.#plan = new Plan(personality.family, this.pageSize, calls, plan)
    if (batches) this.madviseAll = (ranges, advice) => this.#madviseAll([...Array.from(ranges), advice])
    if (personality.tellsPages) {
      this.residency = (addr, length) => this.#runs(addr, length)
      this.hugePages = (addr, length) => this.residence(addr, length).huge
    }

    const random = new Random(seed)
    const { placement, lowest, highest } = personality
    const sizes = { pageSize: this.pageSize, hugePageSize: this.hugePageSize }
    this.#space = new Space(
      {
        ...sizes,
        origin: alignDown(placement.order === 'up' ? placement.bottom : placement.top, this.pageSize),
        maxMappings: this.#limits.maxMappings,
        memory: memoryOf(this.#limits),
        pressure: checkPart('pressure', options.pressure ?? 0.25),
        faultAround: personality.faultAround,
        takesHuge: (mapping) => takesHuge(mapping, transparentHugePages),
        nameOf: (mapping) => protText(mapping.prot),
      },
      random,
    )
    const base = layout.base === undefined ? {} : { base: layout.base }
    const placer = new Placer(this.#space.maps, placement, { ...sizes, lowest, highest, ...base }, random)
    this.#calls = new PosixCalls({
      personality,
      pageSize: this.pageSize,
      space: this.#space,
      placer,
      commit: this.#commit,
      limits: this.#limits,
      locksAll,
    })
    // Foreign mappings. They block addresses and never merge with ours.
    for (const { address, size } of layout.occupied ?? []) {
      const object = -(this.#space.maps.count + 1)
      this.#space.map({ start: address, end: address + size, prot: 0, attributes: 0, object, anon: 0 })
    }
  }

  mmap(addr: Address, length: number, prot: number, flags: number, fd: number, offset: number): number {
    return this.#call('mmap', [addr, length, prot, flags, fd, offset], (args, at) => this.#calls.mmap(args, at))
  }

  munmap(addr: Address, length: number): number {
    return this.#call('munmap', [addr, length], ([v = 0, n = 0]) => this.#calls.munmap(v, n))
  }

  mprotect(addr: Address, length: number, prot: number): number {
    return this.#call('mprotect', [addr, length, prot], ([v = 0, n = 0, rights = 0]) =>
      this.#calls.mprotect(v, n, rights),
    )
  }

  madvise(addr: Address, length: number, advice: number): number {
    return this.#call('madvise', [addr, length, advice], ([v = 0, n = 0, what = 0]) => this.#calls.madvise(v, n, what))
  }

  mappings(): { readonly used: number; readonly limit: number } {
    return { used: this.#space.maps.count, limit: this.#limits.maxMappings }
  }

  view(addr: Address, length: number): ArrayBuffer {
    this.#space.enter()
    return this.#space.view(addr, length)
  }

  limits(): PosixLimits {
    const { addressSpace, dataSize, lockedMemory, maxMappings, overcommit, memory, swap, overcommitRatio, group } =
      this.#limits
    return {
      addressSpace,
      addressSpaceUsed: this.#space.maps.bytes,
      ...(this.#personality.countsData ? { dataSize, dataSizeUsed: this.#calls.data } : {}),
      lockedMemory,
      maxMappings,
      mappings: this.#space.maps.count,
      overcommit,
      commitLimit: Math.floor((memory * overcommitRatio) / 100) + swap,
      committed: this.#commit.committed,
      groupLimit: group,
      groupUsed: this.#space.residence.total,
    }
  }

  setLimits(limits: Omit<PosixLimitOptions, 'maxMappings'>): void {
    const { maxMappings } = this.#limits
    Object.assign(this.#limits, checkLimits({ ...this.#limits, ...limits, maxMappings }))
    this.#commit.setLimits(...commitLimits(this.#personality, this.#limits))
    this.#space.setMemory(memoryOf(this.#limits))
  }

  get counters(): Counters {
    return this.#plan.counters(this.#space.forfeitTaken)
  }

  fail(fault: PlannedFault): void {
    this.#plan.add(fault)
  }

  touch(addr: Address, length: number, access: Access = 'write'): void {
    this.#space.enter()
    this.#space.touch(addr, length, access)
  }

  read(addr: Address, target: Uint8Array): void {
    this.#space.enter()
    this.#space.read(addr, target)
  }

  write(addr: Address, source: Uint8Array): void {
    this.#space.enter()
    this.#space.write(addr, source)
  }

  takeForfeit(): void {
    this.#space.enter()
    this.#space.takeForfeit()
  }

  collapse(addr: Address, length: number): void {
    this.#space.enter()
    this.#space.collapseAll(...this.#space.pages(addr, length))
  }

  lockAll(): void {
    this.#calls.lockAll()
  }

  residence(addr: Address, length: number): Residency {
    this.#space.enter()
    const { resident, forfeit, huge } = this.#space.residency(addr, length)
    return { resident: this.#countsForfeit ? resident : resident - forfeit, forfeit, huge }
  }

  maps(): SimulatedMapping[] {
    return this.#space.maps.all().map(({ start, end, prot, attributes, object }) => ({
      start,
      end,
      permissions: `${protText(prot)}${object > 0 ? 's' : 'p'}`,
      flags: object < 0 ? ['occupied'] : attributeLetters(attributes),
      ...this.residence(start, end - start),
    }))
  }

  describe(): string {
    return describe(this)
  }

  #runs(addr: Address, length: number): number[] {
    this.#space.enter()
    return this.#space.runs(addr, length)
  }

  /** Advises every range separately. Stops only if the first range is refused, as @memlayer/ffi does. */
  #madviseAll(args: number[]): number {
    return this.#call('madviseAll', args, (all) => {
      let answer = 0
      for (let i = 0; i + 1 < all.length; i += 2) {
        const one = this.#calls.madvise(all[i] ?? 0, all[i + 1] ?? 0, all.at(-1) ?? 0)
        if (one < 0 && i === 0) return one
        if (one < 0) answer = one
      }
      return answer
    })
  }

  #call(fn: string, args: number[], call: (args: number[], at: Address | undefined) => number): number {
    this.#space.enter()
    return this.#plan.make(fn, args.map(unsigned), call)
  }
}

function takesHuge({ attributes, object }: Mapping, mode: 'always' | 'madvise' | 'never'): boolean {
  if (mode === 'never' || object !== 0 || (attributes & NO_HUGE_PAGES) !== 0) return false
  return mode === 'always' || (attributes & HUGE_PAGES) !== 0
}

/** The most bytes that may be resident. */
function memoryOf({ memory, swap, group }: Required<PosixLimitOptions>): number {
  return Math.min(memory + swap, group)
}

/** The most that may be promised in all, and in one piece. */
function commitLimits(personality: Personality, limits: Required<PosixLimitOptions>): [limit: number, largest: number] {
  const { memory, swap, overcommit, overcommitRatio } = limits
  const { counts } = personality.commit
  if (counts === 'unless NORESERVE') return [memory + swap, Infinity]
  if (counts === 'nothing' || overcommit === 1) return [Infinity, Infinity]
  if (overcommit === 0) return [Infinity, memory + swap]
  // Linux refuses a request that reaches the limit, not only one beyond it. The share that it keeps for root is
  // left out.
  return [Math.floor((memory * overcommitRatio) / 100) + swap - 1, Infinity]
}

function limitsOf(limits: PosixLimitOptions, personality: Personality): Required<PosixLimitOptions> {
  return checkLimits({
    addressSpace: Infinity,
    dataSize: Infinity,
    lockedMemory: 8 * 2 ** 20,
    maxMappings: personality.maxMappings,
    overcommit: 0,
    overcommitRatio: 50,
    memory: 16 * 2 ** 30,
    swap: 0,
    group: Infinity,
    ...limits,
  })
}

function checkLimits(all: Required<PosixLimitOptions>): Required<PosixLimitOptions> {
  for (const [name, value] of Object.entries(all)) checkLimit(`limits.${name}`, value)
  if (![0, 1, 2].includes(all.overcommit)) wrong('limits.overcommit', all.overcommit, 'Pass 0, 1 or 2.')
  return all
}
