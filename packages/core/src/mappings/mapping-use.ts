// How many kernel mappings there are: the process's, and this memory's.
import type { Ledger } from '../ledger/ledger.js'
import type { OS } from '../os.js'
import type { Retired } from '../retired/retired.js'

/** The kernel mappings of the process, and how many of them are this memory's. */
export interface MappingUse {
  /** What the process has, the engine's own included. */
  readonly used: number
  /** What the process may have. Linux: vm.max_map_count. */
  readonly limit: number
  /**
   * What this memory's ranges cost, retired ones included, without what advice to the kernel costs. `NaN` without a
   * ledger, and where states do not split mappings.
   */
  readonly own: number
}

/** Counts them; null where nothing bounds them. */
export function mappingUse(os: OS, ledger: Ledger | null, retired: Retired | null): MappingUse | null {
  const count = os.host?.mappings?.()
  if (count === undefined) return null
  return {
    ...count,
    own:
      ledger === null || os.traits.splitsMappings === false
        ? NaN
        : ledger.mappings() + (retired?.ranges().length ?? 0) / 2,
  }
}
