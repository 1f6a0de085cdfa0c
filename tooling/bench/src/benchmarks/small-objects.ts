// Measures small objects: what a pair of alloc and free costs in a heap of the layer, beside the other ways that a
// program has.
import { createHeap, type Heap, type SharedHeap } from '@memlayer/heap'
import { MemPool } from '@thi.ng/malloc'
import { rounds, type Benchmark, type Settings } from '../benchmark.js'
import type { Comparison } from '../comparison.js'
import { bareAllocator, MiB, openMemory } from '../layer.js'
import { ratio, spread, takeTurns, type Contender } from '../measure.js'
import type * as Allocations from '../programs/allocations.js'
import type { Allocator, Plan } from '../programs/allocations.js'

type Loop = 'lifo' | 'fifo' | 'random'
type Way = 'memlayer' | 'threads' | 'thing' | 'buffer' | 'array' | 'c'

const LIVE_OBJECTS = 4096
const ROOM = 128 * MiB
const GOAL_NS = 60
/** All of the work would take minutes. */
const POOL_PART = 1 / 256
/** The collector runs within a batch of those whose objects are dropped. */
const DROP_PART = 4

/** A sequence of numbers that is the same in each run. */
function numbers(count: number, of: (word: number) => number): Int32Array {
  let word = 0x2545f491
  return new Int32Array(count).map(() => {
    word ^= word << 13
    word ^= word >>> 17
    word ^= word << 5
    return of(word >>> 0)
  })
}

/** Sizes as the requests of a server are: half of them below 64 bytes, few above 4 KiB. */
function traced(word: number): number {
  const most = 2 ** (4 + Math.min(9, Math.clz32(word | 1) * 1.5))
  return 8 + (word % Math.ceil(most))
}

const plans: readonly { readonly loop: Loop; readonly work: string; readonly sizes: (word: number) => number }[] = [
  { loop: 'lifo', work: '16 to 4096 bytes, the last first', sizes: (word) => 16 + (word % 4081) },
  { loop: 'fifo', work: '16 to 4096 bytes, the oldest first', sizes: (word) => 16 + (word % 4081) },
  { loop: 'random', work: '16 to 4096 bytes, at random', sizes: (word) => 16 + (word % 4081) },
  { loop: 'random', work: 'mostly small, at random', sizes: traced },
]

function heapAllocator(heap: Heap | SharedHeap): Allocator<number> {
  return { alloc: (bytes) => heap.alloc(bytes), free: (handle) => heap.free(handle) }
}

function poolAllocator(): Allocator<number> {
  const pool = new MemPool({ size: ROOM })
  return {
    alloc: (bytes) => pool.malloc(bytes),
    free: (address) => void pool.free(address),
  }
}

/** The collector frees what is dropped. */
const drop = (): void => undefined

/** `part`: a batch does this part of the work, or so many times of it. */
async function contender<T>(
  kind: string,
  allocator: Allocator<T>,
  loop: Loop,
  plan: Plan,
  part = 1,
): Promise<Contender> {
  const loops = (await import(`../programs/allocations.js?${kind}-${loop}`)) as typeof Allocations
  const objects: T[] = []
  for (let i = 0; i < LIVE_OBJECTS; i++) objects.push(allocator.alloc(plan.sizes[i] as number))
  const run = loops[loop]<T>
  return {
    batch(times: number): number {
      const some = Math.max(64, times * part)
      const start = performance.now()
      run(allocator, plan, objects, some)
      return ((performance.now() - start) * 1e6 * times) / some
    },
  }
}

async function linesOf({ loop, work, sizes }: (typeof plans)[number], settings: Settings): Promise<Comparison[]> {
  const plan = {
    sizes: numbers(2 ** 14, sizes),
    order: numbers(2 ** 16, (word) => word % LIVE_OBJECTS),
  }
  const c = bareAllocator()
  using heap = createHeap(openMemory(), { maximum: ROOM })
  using shared = createHeap(openMemory(), { maximum: ROOM, threads: true })
  const ways: Record<Way, Contender> = {
    memlayer: await contender('heap', heapAllocator(heap), loop, plan),
    threads: await contender('shared', heapAllocator(shared), loop, plan),
    thing: await contender('pool', poolAllocator(), loop, plan, POOL_PART),
    buffer: await contender(
      'buffer',
      { alloc: (bytes) => Buffer.allocUnsafe(bytes), free: drop },
      loop,
      plan,
      DROP_PART,
    ),
    array: await contender('array', { alloc: (bytes) => new Uint8Array(bytes), free: drop }, loop, plan, DROP_PART),
    c: await contender('c', c, loop, plan),
  }
  const series = await takeTurns(ways, rounds(settings, { rounds: 60, warmUp: 15, times: 2 ** 14 }))
  const ours = spread(series.memlayer)
  const line = (beside: string, way: Way): Comparison => ({
    work: `alloc + free, ${work}`,
    unit: 'ns',
    ours,
    beside,
    theirs: spread(series[way]),
    measure: 'faster',
    result: ratio(series[way], series.memlayer),
  })
  const isAlone = { unit: 'ns', ours, beside: '', theirs: null, measure: 'alone', result: ours } as const
  return [
    { work: `alloc + free, ${work}`, ...isAlone, goal: { kind: 'most', value: GOAL_NS } },
    { ...line('@thi.ng/malloc', 'thing'), goal: { kind: 'least', value: 1 } },
    { ...line('Buffer.allocUnsafe, dropped', 'buffer'), goal: { kind: 'least', value: 1 } },
    { ...line('new Uint8Array, dropped', 'array'), goal: { kind: 'least', value: 1 } },
    line(c.name, 'c'),
    {
      ...isAlone,
      work: `alloc + free in a heap of several threads, ${work}`,
      ours: spread(series.threads),
      beside: 'a heap of one thread',
      theirs: ours,
      measure: 'times',
      result: ratio(series.threads, series.memlayer),
    },
  ]
}

export const smallObjects: Benchmark = {
  name: 'small-objects',
  says: 'a pair of alloc and free in a heap, with 4096 objects alive, beside other allocators',
  async run(settings) {
    const lines: Comparison[] = []
    for (const plan of plans) lines.push(...(await linesOf(plan, settings)))
    return lines
  },
}
