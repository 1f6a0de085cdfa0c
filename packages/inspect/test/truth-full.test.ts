// Every figure of a snapshot beside the kernel's at that moment, over memories that churn, grow, shrink and leak. The
// full size, 1,000 moments and up to 100,000 ranges, takes minutes: MEMLAYER_TRUTH=1000 asks for so many moments.
import { setTimeout as after } from 'node:timers/promises'
import { createMemory, type Memory, type Region } from '@memlayer/core'
import { createOS } from '@memlayer/os-linux'
import { isLong } from '@memlayer/witness'
import { describe, expect, it } from 'vitest'
import { untilLeaked } from './collecting.js'
import { Log } from '../src/log.js'
import type { Snapshot } from '../src/snapshot.js'
import { Snapshots } from '../src/take-snapshot.js'
import { Timeline } from '../src/timeline.js'
import { unpack, type Wire } from '../src/wire.js'
import { MiB } from './living.js'

const PAGE = 4096
const asked = Number(process.env['MEMLAYER_TRUTH'] ?? (isLong ? 100 : 0))
const isFull = asked > 0
/** Moments, milliseconds between them, and the ranges of the memories. */
const [moments, pause] = isFull ? [asked, Number(process.env['MEMLAYER_TRUTH_PAUSE'] ?? 1000)] : [30, 600]
const sizes = isFull ? [10, 1000, 10_000, 100_000] : [10, 1000]
/** A figure that is older has its age beside it on the page. */
const ageToldFrom = 500
/** How many times as long as a snapshot took the page waits at least for the next one. */
const pauseRatio = 125

/** A memory of so many ranges that changes in each step: it churns, grows, shrinks and leaks in turn. */
class World {
  readonly memory: Memory = createMemory(createOS())
  readonly #kept: Region[] = []
  readonly #growing: Region
  #grown = 0
  #step = 0

  constructor(ranges: number) {
    const many = this.memory.reserve(ranges * PAGE, { name: 'many', hugePages: 'off' })
    many.commit(0, ranges * PAGE)
    many.view(Uint8Array, 0, ranges * PAGE).fill(1)
    many.unusedAll(Array.from({ length: ranges / 2 }, (_, i) => [2 * i * PAGE, PAGE]).flat())
    this.#growing = this.memory.reserve(256 * MiB, { name: 'growing', hugePages: 'off' })
    this.#kept.push(many)
    for (let i = 0; i < 20; i++) this.#kept.push(this.#touched(`region ${i}`))
  }

  #touched(name: string): Region {
    const region = this.memory.reserve(MiB, { name, hugePages: 'off' })
    region.commit(0, MiB)
    region.view(Uint8Array, 0, MiB / 2).fill(1)
    return region
  }

  step(): void {
    this.#step += 1
    const place = 1 + (this.#step % 20)
    this.#kept[place]?.free()
    this.#kept[place] = this.#touched(`region ${this.#step}`)
    // It grows for twenty steps, and gives all of it back.
    if (this.#grown === 20 * MiB) {
      this.#growing.unused(0, this.#grown)
      this.#grown = 0
    } else {
      this.#growing.commit(this.#grown, MiB)
      this.#growing.view(Uint8Array, this.#grown, MiB).fill(1)
      this.#grown += MiB
    }
    if (this.#step % 50 === 1) this.#leak()
  }

  #leak(): void {
    this.#touched(`leaked ${this.#step}`)
  }

  end(): void {
    for (const region of [...this.#kept, this.#growing]) region.free()
  }
}

/** What was found in all moments. */
interface Found {
  /** Figures that were compared, and those that had their age or what they lack beside them. */
  compared: number
  marked: number
  /** The most that a figure without a mark was wrong by, as a part of it. */
  worst: number
  /** Milliseconds of each snapshot, with its JSON. */
  readonly took: number[]
}

const differs = (told: number, kernel: number): number =>
  // A page more or less is none of a figure's percents.
  Math.abs(told - kernel) <= PAGE ? 0 : Math.abs(told - kernel) / Math.max(kernel, PAGE)

function compare(found: Found, told: number, kernel: number, isMarked: boolean): void {
  found.compared += 1
  if (isMarked) found.marked += 1
  else found.worst = Math.max(found.worst, differs(told, kernel))
}

/** Holds a snapshot against the memory and the kernel, at the same moment. */
function hold(found: Found, memory: Memory, snapshot: Wire): void {
  const { total } = memory.stats()
  expect(snapshot.stats.total).toEqual(total)
  const ranges = unpack(snapshot.packed, snapshot.pageSize)
  const states = [0, 0, 0, 0]
  for (let i = 0; i < ranges.length; i += 4) {
    const state = ranges[i + 2] as number
    states[state] = (states[state] ?? 0) + (ranges[i + 1] as number)
  }
  expect(states).toEqual([0, total.reserved, total.prepared, total.ready])
  const witnessed = (address: number, size: number): number => memory.residency(address, size)?.resident ?? NaN
  const all = memory.ranges().reduce((sum, { address, size }) => sum + witnessed(address, size), 0)
  const { resident } = snapshot
  const isOld = (at: number): boolean => snapshot.at - at >= ageToldFrom
  compare(found, resident?.resident ?? NaN, all, resident === null || resident.missing > 0 || isOld(resident.at))
  for (const { address, size, resident: own, residentAt } of snapshot.regions)
    compare(found, own ?? NaN, witnessed(address, size), own === null || isOld(residentAt ?? 0))
}

async function watch(ranges: number, count: number): Promise<Found> {
  const world = new World(ranges)
  const { memory } = world
  const [log, snapshots, timeline] = [new Log(memory), new Snapshots(memory), new Timeline()]
  const found: Found = { compared: 0, marked: 0, worst: 0, took: [] }
  let seen = 0
  for (let i = 0; i < count; i++) {
    world.step()
    const start = performance.now()
    const wire = snapshots.wire({}, log, seen)
    snapshots.tell(timeline, wire.at)
    JSON.stringify(wire)
    found.took.push(performance.now() - start)
    seen = wire.logFrom + wire.log.length
    hold(found, memory, wire)
    await after(pause)
  }
  await untilLeaked(memory, 1)
  const last: Pick<Snapshot, 'regions'> = snapshots.wire({}, log, seen)
  expect(last.regions.filter(({ leaked }) => leaked)).toHaveLength(memory.leaks().length)
  log.end()
  world.end()
  return found
}

const percent = (share: number): string => `${(100 * share).toFixed(2)} %`

describe.skipIf(process.platform !== 'linux')('every figure, beside the kernel at that moment', () => {
  for (const ranges of sizes) {
    it(
      `is within 2 % or has its age beside it, over ${ranges} ranges`,
      { timeout: 60_000 + 10 * moments * pause },
      async () => {
        const count = Math.ceil(moments / sizes.length)
        const { compared, marked, worst, took } = await watch(ranges, count)
        const sorted = took.toSorted((a, b) => a - b)
        const median = sorted[sorted.length >> 1] ?? NaN
        const share = median / Math.max(1000, pauseRatio * median)
        console.log(
          `${ranges} ranges, ${count} moments: ${compared} figures, ${percent(marked / compared)} with their age; ` +
            `the others wrong by ${percent(worst)} at most; ` +
            `a snapshot took ${median.toFixed(1)} ms, ${percent(share)} of the time`,
        )
        expect(worst).toBeLessThanOrEqual(0.02)
        // Figures with an age are not all that there is. A look at 400 MiB takes longer than one snapshot has.
        expect(marked / compared).toBeLessThan(ranges < 100_000 ? 0.5 : 0.9)
        expect(share).toBeLessThan(0.01)
      },
    )
  }
})
