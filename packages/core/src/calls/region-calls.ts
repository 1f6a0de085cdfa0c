// What regions do with their pages besides the operations: commit, views, copies, holds, shares, huge pages.
import { alignUp, byteLengthOf, sharedLength, viewOffset, type Address } from '@memlayer/kernel'
import type { SysMemStat } from '../account/mem-stat.js'
import { Hold } from '../borrows/hold.js'
import type { Given } from '../borrows/shares.js'
import type { EngineBytes, ShareToken } from '../borrows/share-token.js'
import { bufferGiven } from '../borrows/reclaim.js'
import { checkElements, type ViewConstructor, type ViewOf } from '../borrows/view-types.js'
import type { WorkerLike } from '../borrows/worker.js'
import { checkAddress, checkSize } from '../check.js'
import type { Maker } from '../holding.js'
import type { RegionRecord } from '../claims/region-record.js'
import { UsageError } from '../errors.js'
import { FROM_READY } from '../ledger/states.js'
import type { OS } from '../os.js'
import type { HugePagePolicy, HugePageUse } from '../mappings/huge-pages.js'
import { show } from '../text.js'
import { goneWhileLent } from './adopt-misuse.js'
import { adopt, endLost, expectThere } from './adopt.js'
import { commit } from './commit.js'
import { freeParts } from './free-parts.js'
import type { Parts } from './parts.js'
import { reserve, reserveAligned } from './reserve.js'
import { settle } from './settle.js'
import { see, viewOfSize } from './view.js'
import type { Wrappers } from './wrappers.js'
import { zero } from './zero.js'

/** The calls of one memory's regions. */
export class RegionCalls {
  /** The operations, in mem.go's order. */
  readonly ops: Wrappers
  readonly #parts: Parts

  constructor(parts: Parts, ops: Wrappers) {
    this.#parts = parts
    this.ops = ops
  }

  /** Settles what a script left, so that a region's own figures are right. */
  settle(): void {
    if (this.#parts.intent.isOpen) settle(this.#parts)
  }

  /** The category of a region's name. */
  statOfRegion(name: string): SysMemStat {
    return this.#parts.account.statOfRegion(name)
  }

  /** Whether there are many names of regions. */
  get hasManyNames(): boolean {
    return this.#parts.account.hasManyNames
  }

  /** Drops the categories of names that no region has any more. No operation may be going on. */
  dropNames(): void {
    this.#parts.account.dropNames(new Set(this.#parts.claims.list().map(({ name }) => name)))
  }

  /** @throws UsageError ERR_MEMLAYER_STAT when `stat` is not of this memory. A region always has one. */
  expectStat(op: string, stat: SysMemStat): void {
    if (this.#parts.account.categoryOf(op, stat) > 0) return
    const hint = "Pass what this memory's stat('name') returns, or leave it out."
    throw new UsageError('ERR_MEMLAYER_STAT', `${op}: the stat is ${show(stat)}`, { op, hint })
  }

  /** None to Reserved, for a region. `align` undefined: where the OS likes. */
  reserve(region: RegionRecord, v: Address | null, size: number, align: number | undefined): void {
    const { pageSize } = this.ops.os.traits
    if (align !== undefined) return void reserveAligned(this.#parts, v, size, align, region)
    checkSize('sysReserve', size, 1, pageSize)
    if (v !== null) checkAddress('sysReserve', v, size, pageSize)
    void reserve(this.#parts, v, size, region)
  }

  /** None to Ready, for a region: the whole pages of a buffer. */
  adopt(
    region: RegionRecord,
    bufferNow: () => ArrayBufferLike,
    stat: SysMemStat,
    isCollected: (record: RegionRecord) => boolean,
  ): void {
    adopt(this.#parts, this.ops, region, bufferNow, stat, isCollected)
  }

  /**
   * Proves that the buffer of an adopted region still has its pages. Where it has not, the region is freed.
   *
   * @throws UsageError ERR_MEMLAYER_DISPOSED where it has not.
   */
  expectThere(op: string, record: RegionRecord): void {
    expectThere(this.#parts, this.ops, op, record)
  }

  /** Frees an adopted region whose buffer has lost its pages. */
  endLost(record: RegionRecord): void {
    this.settle()
    endLost(this.#parts, this.ops, record)
  }

  /** Reserved or Prepared to Ready. Ready pages stay as they are. */
  commit(v: Address, n: number, stat: SysMemStat): void {
    this.settle()
    // Most commits take back what was unused, and need no more than one operation.
    if (this.#parts.ledger.isPrepared(v, n)) this.ops.sysUsed(v, n)
    else commit(this.#parts, v, n, stat)
  }

  /** No transition: Ready bytes read zero, and whole pages give their memory back. */
  zero(v: Address, n: number): void {
    zero(this.#parts, v, n)
  }

  /** A view of elements of `element` bytes that keeps `keeper` alive. `isOwn`: on a buffer that has no other view. */
  view<T extends ArrayBufferView>(
    type: ViewConstructor<T>,
    element: number,
    v: Address,
    length: number,
    keeper: object,
    isOwn = false,
  ): ViewOf<T> {
    return viewOfSize(this.#parts, type, element, v, length, keeper, isOwn)
  }

  /** @throws UsageError ERR_MEMLAYER_VIEW unless a view of `length` elements can begin at `v`. */
  expectElements(type: ViewConstructor, element: number, v: Address, length: number): void {
    checkElements('view', type, element, v, length)
  }

  /**
   * The Ready pages around [v, v+n), within [from, from+size).
   *
   * @throws UsageError ERR_MEMLAYER_STATE unless all of [v, v+n) is Ready.
   */
  readyAround(v: Address, n: number, from: Address, size: number): [start: Address, end: Address] {
    const { ledger, os } = this.#parts
    ledger.expect('view', v, n, FROM_READY)
    const [start, end] = ledger.runAt(v, from, from + size)
    // Pages of another category may follow in the range.
    return [start, Math.max(end, alignUp(v + n, os.traits.pageSize))]
  }

  /** Copies Ready bytes at `v` into `target`. */
  copyOut(v: Address, target: Uint8Array): void {
    const n = byteLengthOf(target)
    if (n === 0) return
    this.#parts.ledger.expect('read', v, n, FROM_READY)
    const { host } = this.#parts.os
    if (host?.read !== undefined) host.read(v, target)
    else target.set(this.#bytes(v, n))
  }

  /** Copies `source` to Ready bytes at `v`. */
  copyIn(v: Address, source: Uint8Array): void {
    const n = byteLengthOf(source)
    if (n === 0) return
    this.#parts.ledger.expect('write', v, n, FROM_READY)
    const { host } = this.#parts.os
    if (host?.write !== undefined) host.write(v, source)
    else this.#bytes(v, n).set(source)
  }

  /** The bytes of [v, v+n) that are Ready. */
  readyIn(v: Address, n: number): number {
    this.settle()
    return this.#parts.ledger.readyIn(v, n)
  }

  /** Keeps Ready pages as they are. */
  hold(maker: Maker, v: Address, n: number): Hold {
    if (n > 0) this.#parts.ledger.expect(maker.kind, v, n, FROM_READY)
    return new Hold(maker.region, v, n, this.#parts.borrows.shares.hold(v, n, maker))
  }

  /**
   * Ends one view of `record` at `v`.
   *
   * @throws UsageError ERR_MEMLAYER_VIEW when it was moved, or the region's buffer has lost its pages.
   */
  endView(op: string, record: RegionRecord, v: Address, n: number, buffer: ArrayBufferLike): void {
    if (record.isThere !== null && n > 0) {
      this.settle()
      if (endLost(this.#parts, this.ops, record)) goneWhileLent(op, record.name)
    }
    this.#parts.borrows.views.endOne(op, v, n, buffer)
  }

  /**
   * Ends a moved view by the buffer that has its bytes now.
   *
   * @throws UsageError ERR_MEMLAYER_VIEW for another buffer, ERR_MEMLAYER_SHARED while others may write to the pages.
   */
  reclaim(v: Address, n: number, moved: unknown): void {
    const buffer = bufferGiven(moved)
    const { shares, views } = this.#parts.borrows
    shares.expectOffers('reclaim', v, n)
    views.reclaim(v, n, buffer)
  }

  /**
   * What was given to a worker. It asks the worker, whose code may do anything: so nothing was proved before.
   *
   * @throws UsageError ERR_MEMLAYER_SHARED where threads share no memory, and for an unusable worker.
   */
  givenTo(worker: WorkerLike): Given {
    const { os, borrows } = this.#parts
    if (os.traits.threadsShare || isEngines(os)) return borrows.shares.givenTo(worker)
    const hint = 'Post a shared WebAssembly.Memory, or a copy of the bytes.'
    const message = `share: threads do not share addresses on ${os.name}`
    throw new UsageError('ERR_MEMLAYER_SHARED', message, { op: 'share', hint })
  }

  /** Offers Ready pages to a worker. */
  share(given: Given, maker: Maker, v: Address, n: number): ShareToken {
    const { os, ledger, borrows } = this.#parts
    if (n > 0) {
      ledger.expect('share', v, n, FROM_READY)
      see(this.#parts, v, n)
    }
    const bytes = n > 0 && isEngines(os) ? engineBytes(os, v, n) : null
    return borrows.shares.offer(given, os.name, maker.region, v, n, maker, bytes)
  }

  /** Any state to None, for all parts that are left of a region. */
  freeParts(record: RegionRecord): void {
    freeParts(this.#parts, this.ops, record)
  }

  /** The policy at `v`. */
  hugePagesAt(v: Address): HugePagePolicy {
    return this.#parts.hugePages.at(v)
  }

  /** Sets the policy of a range. */
  setHugePages(v: Address, n: number, policy: HugePagePolicy): void {
    const { budget, hugePages } = this.#parts
    budget.cut('hugePages', n, hugePages.runsIn(v, n))
    hugePages.set(v, n, policy)
  }

  /** Huge pages that a range asks for and has. */
  hugePageUse(v: Address, n: number): HugePageUse {
    return this.#parts.hugePages.use(v, n)
  }

  /** For a copy that ends before any other code runs. */
  #bytes(v: Address, n: number): Uint8Array {
    const buffer = this.#parts.os.view(v, n)
    return new Uint8Array(buffer, viewOffset(buffer, v, n), n)
  }
}

/** Whether the memory is the engine's: another thread gets the buffer, and no address. */
const isEngines = (os: OS): boolean => os.traits.ends === 'zeroed'

/** @throws UsageError ERR_MEMLAYER_SHARED for a buffer that is adopted and of one thread. */
function engineBytes(os: OS, v: Address, n: number): EngineBytes {
  const buffer = os.view(v, n) as ArrayBufferLike
  const byteOffset = viewOffset(buffer, v, n)
  if (sharedLength(buffer) !== null) return { buffer: buffer as SharedArrayBuffer, byteOffset }
  const hint = 'Adopt a SharedArrayBuffer or a shared WebAssembly.Memory, or post a copy of the bytes.'
  throw new UsageError('ERR_MEMLAYER_SHARED', 'share: the buffer is not shared memory', { op: 'share', hint })
}
