// Regions and views over one memory, and what stands in the way of taking their pages: the
// wrappers ask here before a page leaves Ready, and tell here what was freed.
import { viewOffset, type Address } from '@memlayer/kernel'
import { checkPlace, checkRange, show } from './check.js'
import { UsageError } from './errors.js'
import { Hold } from './hold.js'
import { checkPolicy, HugePages, type HugePagePolicy, type HugePageUse } from './huge-pages.js'
import { FROM_OWNED, FROM_READY, type Ledger } from './ledger.js'
import type { MappingBudget } from './mapping-budget.js'
import type { SysMemStat } from './mem-stat.js'
import type { Memory } from './memory.js'
import type { AlignedReservation } from './reserve-aligned.js'
import { Region, type RegionHost, type RegionOptions } from './region.js'
import { RegionTable } from './region-table.js'
import { SharedRegion } from './shared-region.js'
import { checkWorker, Shares, type ShareToken, type WorkerLike } from './shares.js'
import { bytesOf, Views, type ViewConstructor } from './views.js'

/** The regions and the views of one memory. */
export class Regions implements RegionHost {
  readonly memory: Memory
  readonly #ledger: Ledger | null
  readonly #table = new RegionTable()
  readonly #views: Views
  readonly #shares = new Shares()
  /** Null without a ledger, where there are no regions. */
  readonly #hugePages: HugePages | null
  /** While a region is being reserved: what is freed, pairs of address and size. */
  #freedMeanwhile: number[] | null = null

  constructor(memory: Memory, ledger: Ledger | null, budget: MappingBudget) {
    this.memory = memory
    this.#ledger = ledger
    this.#views = new Views(memory.os)
    this.#hugePages = ledger === null ? null : new HugePages(memory.os, ledger, budget)
  }

  /** The pages of [v, v+n) are about to leave Ready: refuses for the sake of who holds them, else detaches the views over them. */
  takeAway(op: string, v: Address, n: number): void {
    if (this.#shares.count > 0) {
      this.expectNotHeld(op, v, n)
      this.#shares.revoke(op, [v, n])
    }
    if (this.#views.count > 0) this.#views.detach(op, v, n)
  }

  /** Whether views are being detached, and whoever is told of that runs. */
  get isLeaving(): boolean {
    return this.#views.isLeaving
  }

  /**
   * For an operation that is called by who was told of a detaching: the pages for which it is done are as they were found.
   *
   * @throws UsageError ERR_MEMLAYER_STATE when [v, v+n) has some of them.
   */
  expectStays(op: string, v: Address, n: number): void {
    this.#views.expectStays(op, v, n)
  }

  expectNotHeld(op: string, v: Address, n: number): void {
    this.#shares.expectNone(op, v, n)
    this.#views.expectNoneMoved(op, v, n)
  }

  /**
   * `takeAway` of many ranges, pairs of address and size: of all, or of none.
   *
   * @throws UsageError ERR_MEMLAYER_SHARED when a part is held, ERR_MEMLAYER_VIEW when somebody has a view's bytes.
   */
  takeAwayAll(op: string, pairs: Float64Array): void {
    const each = (act: (v: Address, n: number) => void): void => {
      for (let i = 0; i < pairs.length; i += 2) if (pairs[i + 1] !== 0) act(pairs[i] as number, pairs[i + 1] as number)
    }
    if (this.#shares.count > 0) each((v, n) => this.#shares.expectNone(op, v, n))
    if (this.#views.count > 0) each((v, n) => this.#views.expectNoneMoved(op, v, n))
    if (this.#shares.count > 0) this.#shares.revoke(op, pairs)
    if (this.#views.count > 0) this.#views.detachAll(op, pairs)
  }

  /** Whether a region has a policy as to huge pages, which is kept up as pages change state. */
  get advises(): boolean {
    return this.#hugePages?.inUse === true
  }

  /** [v, v+n) is Ready now. */
  used(v: Address, n: number): void {
    if (this.#hugePages?.inUse === true) this.#hugePages.used(v, n)
  }

  /** [v, v+n) has been freed. */
  freed(v: Address, n: number): void {
    this.#freedMeanwhile?.push(v, n)
    this.#hugePages?.freed(v, n)
    this.#table.freed(v, n)
  }

  /** The bytes of all views: an engine takes them for its own. */
  get viewBytes(): number {
    return this.#views.bytes
  }

  list(): Region[] {
    return this.#table.list()
  }

  reserve(size: number, options: RegionOptions): Region {
    this.#needLedger('reserve')
    const { name = 'region', address = null, hugePages = 'default' } = options
    if (typeof name !== 'string' || name === '') {
      throw new UsageError('ERR_MEMLAYER_OPTION', `reserve: the name is ${show(name)}`, {
        hint: 'Pass a text, or leave it out.',
      })
    }
    checkPolicy('reserve', hugePages)
    const { memory } = this
    // A huge page lies at a multiple of its size: one that the region only cuts is none.
    const align =
      options.align ??
      (hugePages === 'on' && memory.os.traits.hugePageSize > 0 ? memory.os.traits.hugePageSize : undefined)
    const { range, freed } = this.#reserved(() =>
      align === undefined
        ? { address: memory.sysReserve(address, size), size }
        : memory.sysReserveAligned(address, size, align),
    )
    const stat = options.stat ?? memory.stat(name)
    const region = new Region(this, range.address, range.size, name, stat, new Error('reserved here').stack ?? '')
    this.#table.add(region, freed)
    if (hugePages !== 'default' && !region.disposed) region.hugePages = hugePages
    return region
  }

  /** What `reserve` returns, and what was freed before it returned: an observer that heard of it may have freed it again, and have it anew. */
  #reserved(reserve: () => AlignedReservation): { range: AlignedReservation; freed: readonly number[] } {
    const outer = this.#freedMeanwhile
    const freed: number[] = []
    this.#freedMeanwhile = freed
    try {
      return { range: reserve(), freed }
    } finally {
      this.#freedMeanwhile = outer
      outer?.push(...freed)
    }
  }

  view<T extends object>(type: ViewConstructor<T>, v: Address, length: number, keeper?: object): T {
    checkPlace('view', v)
    const bytes = bytesOf(type, v, length)
    this.#expectReady('view', v, bytes)
    return this.#views.make(type, v, length, bytes, keeper)
  }

  commit(v: Address, n: number, stat: SysMemStat): void {
    const { memory } = this
    const ledger = this.#needLedger('commit')
    checkRange('sysUsed', v, n, 0, memory.os.traits.pageSize)
    if (n === 0) return
    ledger.expect('commit', v, n, FROM_OWNED)
    const parts = ledger.within(v, n)
    for (const { address, size, state } of parts) if (state === 'Reserved') memory.sysMap(address, size, stat)
    if (!memory.os.traits.unusedTraps) return memory.sysUsed(v, n)
    // Where it changes permissions it may map anew: what is Ready keeps its bytes.
    for (const { address, size, state } of parts) if (state !== 'Ready') memory.sysUsed(address, size)
  }

  hugePagesAt(v: Address): HugePagePolicy {
    return this.#hugePages?.at(v) ?? 'default'
  }

  setHugePages(v: Address, n: number, policy: HugePagePolicy): void {
    this.#hugePages?.set(v, n, policy)
  }

  hugePageUse(v: Address, n: number): HugePageUse {
    return this.#hugePages?.use(v, n) ?? { requested: 0, obtained: NaN }
  }

  copyOut(v: Address, target: Uint8Array): void {
    const n = target.byteLength
    this.#expectReady('read', v, n)
    const { os } = this.memory
    if (os.read !== undefined) os.read(v, target)
    else if (n > 0) target.set(this.#bytes(v, n))
  }

  copyIn(v: Address, source: Uint8Array): void {
    const n = source.byteLength
    this.#expectReady('write', v, n)
    const { os } = this.memory
    if (os.write !== undefined) os.write(v, source)
    else if (n > 0) this.#bytes(v, n).set(source)
  }

  expectSharing(worker: WorkerLike): void {
    const { os } = this.memory
    if (!os.traits.threadsShare) {
      throw new UsageError('ERR_MEMLAYER_SHARED', `share: threads do not share addresses on ${os.name}`, {
        hint: 'Post a WebAssembly.Memory that is shared, or copies of the bytes.',
      })
    }
    checkWorker(worker)
  }

  share(worker: WorkerLike, name: string, v: Address, n: number): ShareToken {
    this.#expectReady('share', v, n)
    return this.#shares.offer(worker, this.memory.os.name, name, v, n)
  }

  hold(name: string, v: Address, n: number): Hold {
    this.#expectReady('hold', v, n)
    return new Hold(name, v, n, this.#shares.hold(v, n))
  }

  attach(token: ShareToken): SharedRegion {
    return new SharedRegion(this.memory.os, token)
  }

  /** For a copy that is over before anything else can happen. */
  #bytes(v: Address, n: number): Uint8Array {
    const buffer = this.memory.os.view(v, n)
    return new Uint8Array(buffer, viewOffset(buffer, v, n), n)
  }

  #expectReady(op: string, v: Address, n: number): void {
    const ledger = this.#needLedger(op)
    if (n > 0) ledger.expect(op, v, n, FROM_READY)
  }

  #needLedger(op: string): Ledger {
    if (this.#ledger !== null) return this.#ledger
    throw new UsageError('ERR_MEMLAYER_OPTION', `${op}: this memory keeps no ledger`, {
      op,
      hint: 'Views and regions are safe because the ledger is: make the memory without { ledger: false }.',
    })
  }
}
