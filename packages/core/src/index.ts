// @memlayer/core: what every backend implements and every user calls. It runs in a browser
// as it stands: no Node API, no dependency but the port types.
export { alignDown, alignUp, viewOffset, type Address } from '@memlayer/kernel'
export type { MappingCount, OS, Refusal, Traits } from './os.js'
export { createMemory, type MappingUse, type Memory, type MemoryOptions, type OwnedRange } from './memory.js'
export type { AlignedReservation } from './reserve-aligned.js'
export type { Region, RegionHost, RegionOptions } from './region.js'
export type { Hold } from './hold.js'
export type { SharedRegion } from './shared-region.js'
export type { ShareToken, WorkerLike } from './shares.js'
export type { ViewConstructor } from './views.js'
export { GrowableBuffer, type GrowableBufferOptions } from './growable-buffer.js'
export type { HugePagePolicy, HugePageUse } from './huge-pages.js'
export type { RegionState } from './ledger.js'
export type { Explanation, LayerPart } from './explain.js'
export type { Residency, ResidencyRun } from './residency.js'
export { SysMemStat } from './mem-stat.js'
export type { MemoryStats, StateCounts } from './stats.js'
export type { MemoryEvent, Observer, Operation } from './observer.js'
export {
  FatalError,
  formatAddress,
  formatBytes,
  MemlayerError,
  OutOfMemoryError,
  UsageError,
  type ErrorCode,
  type ErrorDetails,
} from './errors.js'
