// Reads and writes elements through a view of a region, beside an ArrayBuffer. It also measures what huge pages gain.
import { rounds, type Benchmark, type Settings } from '../benchmark.js'
import type { Comparison } from '../comparison.js'
import { GiB, MiB, openMemory } from '../layer.js'
import { hugePagePolicy } from '../machine.js'
import { ratio, spread, takeTurns, type Contender, type Series } from '../measure.js'
import type * as Loops from '../programs/loops.js'

const ELEMENT_BYTES = 8

/** Runs a loop. Each batch continues where the last batch stopped, so that the loop reaches all elements. */
async function contender(
  kind: string,
  loop: keyof typeof Loops,
  elements: Float64Array,
  count: number,
): Promise<Contender> {
  const loops = (await import(`../programs/loops.js?${kind}`)) as typeof Loops
  const run = loops[loop]
  let from = 0
  return {
    batch(): number {
      const start = performance.now()
      run(elements, from, count)
      const ms = performance.now() - start
      from = (from + count) % elements.length
      return (ms * 1e6) / count
    },
  }
}

const patterns = [
  { loop: 'readAll', work: 'reading elements in order', count: 2 ** 24 },
  { loop: 'writeAll', work: 'writing elements in order', count: 2 ** 24 },
  { loop: 'readAnywhere', work: 'reading elements anywhere', count: 2 ** 21 },
  { loop: 'writeAnywhere', work: 'writing elements anywhere', count: 2 ** 22 },
] as const

function region(size: number, hugePages: 'on' | 'off'): { elements: Float64Array; note: string } {
  const made = openMemory().reserve(size, { hugePages, align: 2 * MiB })
  made.commit(0, size)
  const elements = made.view(Float64Array, 0, size / ELEMENT_BYTES).fill(1)
  const { requested, obtained } = made.hugePageUse()
  const [asked, got] = [requested, obtained].map((bytes) => (bytes / MiB).toFixed(0))
  return { elements, note: `${got} of ${asked} MiB asked for are in huge pages (AnonHugePages)` }
}

function sizeOf({ quick }: Settings): number {
  return quick ? 16 * MiB : GiB
}

export const elements: Benchmark = {
  name: 'elements',
  says: 'reading and writing a million of them in 1 GiB, in order and anywhere',
  async run(settings) {
    const size = sizeOf(settings)
    // All contenders use the same page size. An ArrayBuffer has huge pages only under the policy `always`.
    const own = region(size, hugePagePolicy() === 'always' ? 'on' : 'off').elements
    const fixed = new Float64Array(new ArrayBuffer(size)).fill(1)
    const resizable = new Float64Array(new ArrayBuffer(size, { maxByteLength: size })).fill(1)
    const lines: Comparison[] = []
    for (const { loop, work, count } of patterns) {
      const some = settings.quick ? 2 ** 12 : count
      const ways = {
        memlayer: await contender('region', loop, own, some),
        fixed: await contender('fixed', loop, fixed, some),
        resizable: await contender('resizable', loop, resizable, some),
      }
      lines.push(...linesOf(work, await takeTurns(ways, rounds(settings, { rounds: 64, warmUp: 8, times: 1 }))))
    }
    return lines
  },
}

function linesOf(
  work: string,
  { memlayer, fixed, resizable }: Series<'memlayer' | 'fixed' | 'resizable'>,
): Comparison[] {
  const line = (beside: string, theirs: readonly number[]): Comparison => ({
    work: `${work}, 1 GiB`,
    unit: 'ns',
    ours: spread(memlayer),
    beside,
    theirs: spread(theirs),
    measure: 'times',
    result: ratio(memlayer, theirs),
  })
  return [
    { ...line('ArrayBuffer', fixed), goal: { kind: 'within', value: 0.03 } },
    line('resizable ArrayBuffer', resizable),
  ]
}

export const hugePages: Benchmark = {
  name: 'huge-pages',
  says: 'reading anywhere in 1 GiB, huge pages asked for and forbidden',
  async run(settings) {
    const size = sizeOf(settings)
    const count = settings.quick ? 2 ** 12 : 2 ** 21
    const on = region(size, 'on')
    const ways = {
      memlayer: await contender('on', 'readAnywhere', on.elements, count),
      without: await contender('off', 'readAnywhere', region(size, 'off').elements, count),
    }
    const { memlayer, without } = await takeTurns(ways, rounds(settings, { rounds: 64, warmUp: 8, times: 1 }))
    return [
      {
        work: 'reading elements anywhere, 1 GiB, huge pages asked for',
        unit: 'ns',
        ours: spread(memlayer),
        beside: 'the same, forbidden',
        theirs: spread(without),
        measure: 'faster',
        result: ratio(without, memlayer),
        note: on.note,
      },
    ]
  },
}
