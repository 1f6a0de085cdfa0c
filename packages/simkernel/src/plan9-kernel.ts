// Plan 9: one segment of data, whose end moves. Memory above the break is gone, and reads zero when the break comes
// back. Sources: brk(2), port/segment.c.
import { alignDown, alignUp, type Address, type Plan9Kernel } from '@memlayer/kernel'
import { describe } from './describe.js'
import type { Access } from './errors.js'
import type { Plan9Options } from './options.js'
import { checkLimit, checkPageSize, checkSeed, Plan, type Counters, type PlannedFault } from './plan.js'
import { Random } from './random.js'
import type { Residency, SimulatedMapping, SimulatedPlan9Kernel } from './simulated.js'
import { Space } from './space.js'

const HIGHEST = 0x7fff_ffe0_0000

/** A simulated Plan 9 kernel. */
export class SimulatedPlan9 implements SimulatedPlan9Kernel, Plan9Kernel {
  readonly os = 'plan9'
  readonly seed: number
  readonly pageSize: number
  readonly end: Address
  readonly #space: Space
  readonly #plan: Plan
  #segment: number
  #break: Address

  constructor({ seed = 1, limits = {}, plan = [], pageSize = 4096, layout = {} }: Plan9Options) {
    this.seed = checkSeed(seed)
    this.pageSize = checkPageSize('pageSize', pageSize)
    this.end = layout.end ?? 0x40_0000
    this.#segment = checkLimit('limits.segment', limits.segment ?? Infinity)
    this.#plan = new Plan('linux', pageSize, ['brk'], plan)
    const memory = checkLimit('limits.memory', limits.memory ?? 16 * 2 ** 30)
    this.#space = new Space(
      {
        pageSize,
        hugePageSize: 0,
        origin: 0,
        maxMappings: Infinity,
        memory,
        pressure: 0,
        faultAround: 1,
        takesHuge: () => false,
        nameOf: () => 'past the break',
      },
      new Random(seed),
    )
    // The page in which the program's data ends.
    const start = alignDown(this.end, pageSize)
    this.#break = alignUp(this.end, pageSize)
    if (this.#break > start) this.#grow(start, this.#break)
  }

  brk(addr: Address): number {
    this.#space.enter()
    return this.#plan.make('brk', [addr], ([v = 0]) => this.#brk(v))
  }

  clear(addr: Address, length: number): void {
    this.#space.enter()
    this.#plan.make('clear', [addr, length], ([v = 0, n = 0]) => {
      this.#space.clear(v, n)
      return 0
    })
  }

  view(addr: Address, length: number): ArrayBuffer {
    this.#space.enter()
    return this.#space.view(addr, length)
  }

  setLimits({ segment, memory }: NonNullable<Plan9Options['limits']>): void {
    if (segment !== undefined) this.#segment = checkLimit('limits.segment', segment)
    if (memory !== undefined) this.#space.setMemory(checkLimit('limits.memory', memory))
  }

  get break(): Address {
    return this.#break
  }

  get counters(): Counters {
    return this.#plan.counters(0)
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
    // Plan 9 has no forfeit pages.
  }

  residence(addr: Address, length: number): Residency {
    this.#space.enter()
    return this.#space.residency(addr, length)
  }

  maps(): SimulatedMapping[] {
    return this.#space.maps
      .all()
      .map(({ start, end }) => ({ start, end, permissions: 'rw-', flags: [], ...this.residence(start, end - start) }))
  }

  describe(): string {
    return describe(this)
  }

  #brk(addr: Address): number {
    const to = alignUp(addr, this.pageSize)
    if (!(addr >= this.end && to <= HIGHEST && to - this.end <= this.#segment)) return -1
    if (to > this.#break) this.#grow(this.#break, to)
    else this.#shrink(to)
    this.#break = to
    return 0
  }

  #grow(from: Address, to: Address): void {
    this.#space.map({ start: from, end: to, prot: 3, attributes: 0, object: 0, anon: 0 })
  }

  #shrink(to: Address): void {
    this.#space.maps.cutOut(to, this.#break)
    this.#space.unmap(to, this.#break, false)
  }
}
