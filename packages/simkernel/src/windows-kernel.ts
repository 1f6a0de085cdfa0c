// A Windows kernel behind the port: it counts calls, follows a plan, and can be inspected. windows-calls.ts says
// what the calls do.
import { residencyBits, type Address, type WindowsKernel, type WindowsLimits } from '@memlayer/kernel'
import { Commit } from './commit.js'
import { describe } from './describe.js'
import type { Access } from './errors.js'
import type { WindowsOptions } from './options.js'
import type { Placement } from './personality.js'
import { Placer } from './place.js'
import {
  checkLimit,
  checkPageSize,
  checkPart,
  checkSeed,
  Plan,
  unsigned,
  type Counters,
  type PlannedFault,
} from './plan.js'
import { Random } from './random.js'
import type { Residency, SimulatedMapping, SimulatedWindowsKernel, VirtualRegion } from './simulated.js'
import { Space } from './space.js'
import { GRANULARITY, HIGHEST, LOWEST, stateOf, WindowsCalls } from './windows-calls.js'

// Reservations begin low, where address randomization leaves them.
const placement: Placement = {
  order: 'up',
  bottom: 0x100_0000_0000,
  top: HIGHEST,
  slide: 2 ** 40,
  busyHint: 'ignored',
  alignsHuge: false,
}

/** A simulated Windows kernel. */
export class SimulatedWindows implements SimulatedWindowsKernel, WindowsKernel {
  readonly os = 'windows'
  readonly seed: number
  readonly pageSize: number
  readonly allocationGranularity: number = GRANULARITY
  readonly #space: Space
  readonly #calls: WindowsCalls
  readonly #plan: Plan
  readonly #commit: Commit
  #commitLimit: number

  constructor({ seed = 1, limits = {}, plan = [], pressure = 0.25, pageSize = 4096, layout = {} }: WindowsOptions) {
    this.seed = checkSeed(seed)
    this.pageSize = checkPageSize('pageSize', pageSize)
    this.#commitLimit = checkLimit('limits.commit', limits.commit ?? 16 * 2 ** 30)
    this.#commit = new Commit(this.#commitLimit, Infinity)
    this.#plan = new Plan('windows', pageSize, ['virtualAlloc', 'virtualFree'], plan)
    const random = new Random(seed)
    this.#space = new Space(
      {
        pageSize,
        hugePageSize: 0,
        origin: 0,
        maxMappings: Infinity,
        memory: checkLimit('limits.memory', limits.memory ?? 16 * 2 ** 30),
        pressure: checkPart('pressure', pressure),
        faultAround: 1,
        takesHuge: () => false,
        nameOf: stateOf,
      },
      random,
    )
    const base = layout.base === undefined ? {} : { base: layout.base }
    const facts = { pageSize: GRANULARITY, hugePageSize: 0, lowest: LOWEST, highest: HIGHEST, ...base }
    const placer = new Placer(this.#space.maps, placement, facts, random)
    this.#calls = new WindowsCalls({ pageSize, space: this.#space, placer, commit: this.#commit })
    for (const { address, size } of layout.occupied ?? []) this.#calls.reserve(address, address + size)
  }

  virtualAlloc(addr: Address, size: number, type: number, protect: number): number {
    return this.#call('virtualAlloc', [addr, size, type, protect], (args, at) => this.#calls.alloc(args, at))
  }

  virtualFree(addr: Address, size: number, type: number): number {
    return this.#call('virtualFree', [addr, size, type], ([v = 0, n = 0, how = 0]) => this.#calls.free(v, n, how))
  }

  view(addr: Address, length: number): ArrayBuffer {
    this.#space.enter()
    return this.#space.view(addr, length)
  }

  limits(): WindowsLimits {
    const addressSpace = HIGHEST - LOWEST
    return {
      commitLimit: this.#commitLimit,
      commitAvailable: this.#commitLimit - this.#commit.committed,
      addressSpace,
      addressSpaceAvailable: addressSpace - this.#space.maps.bytes,
    }
  }

  setLimits({ commit, memory }: NonNullable<WindowsOptions['limits']>): void {
    if (memory !== undefined) this.#space.setMemory(checkLimit('limits.memory', memory))
    if (commit === undefined) return
    this.#commitLimit = checkLimit('limits.commit', commit)
    this.#commit.setLimits(commit, Infinity)
  }

  get committed(): number {
    return this.#commit.committed
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

  /** What QueryWorkingSetEx tells: which pages have memory, and nothing of the page file. */
  residency(addr: Address, length: number): number[] {
    this.#space.enter()
    return this.#space.runs(addr, length).map((word, i) => (i % 3 === 2 ? word | residencyBits.partial : word))
  }

  residence(addr: Address, length: number): Residency {
    this.#space.enter()
    return this.#space.residency(addr, length)
  }

  query(addr: Address): VirtualRegion {
    return this.#calls.query(addr)
  }

  maps(): SimulatedMapping[] {
    return this.#space.maps.all().map((mapping) => ({
      start: mapping.start,
      end: mapping.end,
      permissions: stateOf(mapping),
      flags: [],
      ...this.residence(mapping.start, mapping.end - mapping.start),
    }))
  }

  describe(): string {
    return describe(this)
  }

  #call(fn: string, args: number[], call: (args: number[], at: Address | undefined) => number): number {
    this.#space.enter()
    return this.#plan.make(fn, args.map(unsigned), call)
  }
}
