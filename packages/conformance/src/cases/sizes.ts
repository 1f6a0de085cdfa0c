// Each function at each size around a threshold that backends have. Large ranges stay nearly empty, so they cost
// nothing.
import { absent, notRun, type Definition, type Verdict, type World } from '../definition.js'
import type { Stage } from '../stage.js'
import { exact } from './exact.js'

const MIB = 2 ** 20
const GIB = 2 ** 30
/** The huge page of a system that has none: its sizes are thresholds all the same. */
const HUGE = 2 * MIB

/** The sizes: some pages, and both sides of a huge page, of 1 MiB, of 8 MiB, of 1 GiB, and of 4 GiB. */
export function sizesOf(pageSize: number, hugePageSize: number): number[] {
  const huge = hugePageSize === 0 ? HUGE : hugePageSize
  const pages = [1, 2, 3, 5, 64, 65].map((n) => n * pageSize)
  const thresholds = [MIB, huge, 4 * huge, GIB, 4 * GIB].flatMap((size) => [size, size + pageSize])
  const below = [MIB, huge].map((size) => size - pageSize)
  const all = [...pages, ...thresholds, ...below, 5 * huge].filter((n) => n > 0 && n % pageSize === 0)
  return [...new Set(all)].sort((a, b) => a - b)
}

const optional: Readonly<Record<string, 'sysPopulateOS' | 'sysNoHugePageOS' | 'sysRenewOS' | 'sysRetireOS'>> = {
  sysPopulate: 'sysPopulateOS',
  sysNoHugePage: 'sysNoHugePageOS',
  sysRenew: 'sysRenewOS',
  sysRetire: 'sysRetireOS',
}

/** Whether a view shows all of memory. A large range then costs the host its memory, and is left out. */
function showsAll({ memory, os, pageSize }: Stage): boolean {
  const v = memory.sysAlloc(pageSize, null)
  const { byteLength } = os.view(v, pageSize)
  memory.sysFree(v, pageSize, null)
  return byteLength !== pageSize
}

function atAllSizes(world: World, name: string): Verdict | undefined {
  return world.play((stage) => {
    const { pageSize, hugePageSize } = stage.os.traits
    const needed = optional[name]
    if (needed !== undefined && stage.os[needed] === undefined) return absent(needed)
    const sizesMax = showsAll(stage) ? 16 * MIB : Infinity
    for (const n of sizesOf(pageSize, hugePageSize)) {
      if (n > sizesMax) break
      if (exact[name]?.(stage, n) !== false) continue
      return n > MIB ? undefined : notRun(`this kernel has no room for ${n} bytes`)
    }
    return undefined
  })
}

export const sizeCases: readonly Definition[] = Object.keys(exact).map((name) => ({
  id: `sizes/${name}`,
  title: `${name}: has its effect on the whole range and on no page beside it, from one page to 4 GiB and a page`,
  show: (world) => atAllSizes(world, name),
}))
