// Regions: what people hold. A region is one reservation with a name, addressed by offsets. This file makes them.
import { bufferLength } from '@memlayer/kernel'
import type { RegionCalls } from '../calls/region-calls.js'
import { RegionRecord } from '../claims/region-record.js'
import type { RegionTable } from '../claims/region-table.js'
import { inWordsOf, UsageError } from '../errors.js'
import { checkPolicy, type HugePagePolicy } from '../mappings/huge-pages.js'
import type { Memory } from '../memory.js'
import { checkOptions } from '../options.js'
import { placeOf, show, type Caller } from '../text.js'
import type { SysMemStat } from '../account/mem-stat.js'
import { bufferReader, type Adoptable, type AdoptOptions } from './adoptable.js'
import { AdoptedRegion } from './adopted-region.js'
import type { LeakedRegion } from './leaked-region.js'
import { Region, type RegionOptions } from './region.js'

/** What is known of a region for as long as any of it is owned. */
interface Listed {
  readonly region: WeakRef<Region>
  readonly category: string
}

/** The regions of one memory. */
export class Regions {
  readonly #calls: RegionCalls
  readonly #claims: RegionTable
  /** Whether a microtask will drop names that are not used. */
  #willDrop = false
  // A region that its user dropped may be collected before its record goes.
  readonly #regions = new WeakMap<RegionRecord, Listed>()

  constructor(calls: RegionCalls, claims: RegionTable) {
    this.#calls = calls
    this.#claims = claims
  }

  /** None to Reserved, as a region of `memory`. `from`: the function that the program called. */
  reserve(memory: Memory, size: number, options: RegionOptions = {}, from: Caller = memory.reserve): Region {
    const read = checkOptions('reserve', options, ['name', 'stat', 'align', 'address', 'hugePages'])
    const { name = 'region', stat, align, address = null, hugePages = 'default' } = read
    this.#expectNames('reserve', name, stat)
    checkPolicy('reserve', hugePages)
    const record = new RegionRecord(name, placeOf('reserved here', from))
    try {
      this.#calls.reserve(record, address, size, align ?? this.#alignFor(hugePages))
    } catch (error) {
      throw inWordsOf(error, { op: 'reserve', given: show(size), on: `the region '${name}'`, region: name })
    }
    const counting = stat ?? this.#calls.statOfRegion(name)
    const region = new Region(this.#calls, memory, record, counting)
    this.#regions.set(record, { region: new WeakRef(region), category: counting.name })
    if (hugePages !== 'default' && !region.disposed) region.hugePages = hugePages
    if (this.#calls.hasManyNames && !this.#willDrop) void this.#dropLater()
    return region
  }

  /** None to Ready, as a region of `memory`: the whole pages of a buffer that other code allocated. */
  adopt(memory: Memory, given: Adoptable, options: AdoptOptions = {}): AdoptedRegion {
    const { name = 'adopted', stat } = checkOptions('adopt', options, ['name', 'stat'])
    this.#expectNames('adopt', name, stat)
    const bufferNow = bufferReader(given)
    const record = new RegionRecord(name, placeOf('adopted here', memory.adopt))
    const counting = stat ?? this.#calls.statOfRegion(name)
    try {
      this.#calls.adopt(record, bufferNow, counting, this.#isCollected)
    } catch (error) {
      throw inWordsOf(error, {
        op: 'adopt',
        given: `a buffer of ${bufferLength(bufferNow())} bytes`,
        on: `the region '${name}'`,
        region: name,
      })
    }
    const region = new AdoptedRegion(this.#calls, memory, record, counting, bufferNow)
    this.#regions.set(record, { region: new WeakRef(region), category: counting.name })
    return region
  }

  readonly #isCollected = (record: RegionRecord): boolean => {
    const listed = this.#regions.get(record)
    return listed !== undefined && listed.region.deref() === undefined
  }

  #expectNames(op: string, name: unknown, stat: SysMemStat | undefined): void {
    if (typeof name !== 'string' || name === '') {
      const hint = 'Pass a string that is not empty, or leave the name out.'
      throw new UsageError('ERR_MEMLAYER_OPTION', `${op}: the name is ${show(name)}`, { op, hint })
    }
    if (stat !== undefined) this.#calls.expectStat(op, stat)
  }

  /** Drops unused names when the job is over: an operation below this one may be going on. */
  async #dropLater(): Promise<void> {
    this.#willDrop = true
    await (undefined as unknown)
    this.#willDrop = false
    this.#calls.dropNames()
  }

  /** The regions in use, in the order of their making. */
  list(): Region[] {
    return this.#claims.list().flatMap((record) => this.#regions.get(record)?.region.deref() ?? [])
  }

  /** The regions that were collected and never freed, in the order of their making. */
  leaks(): LeakedRegion[] {
    return this.#claims.list().flatMap((record) => {
      const listed = this.#regions.get(record)
      if (listed === undefined || listed.region.deref() !== undefined) return []
      const { id, name, address, size, made } = record
      return { id, name, address, size, category: listed.category, made, parts: [...record.owned()] }
    })
  }

  /** A huge page lies at a multiple of its size. One that a region only cuts is of no use to it. */
  #alignFor(hugePages: HugePagePolicy): number | undefined {
    const { hugePageSize } = this.#calls.ops.os.traits
    return hugePages === 'on' && hugePageSize > 0 ? hugePageSize : undefined
  }
}
