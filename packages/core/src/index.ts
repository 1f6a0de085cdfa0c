// @memlayer/core: what every backend implements and every user calls. It runs in a browser
// as it stands: no Node API, no dependency but the port types.
export { alignDown, alignUp, type Address } from '@memlayer/kernel'
export type { OS, Refusal, Traits } from './os.js'
export { createMemory, type Memory, type MemoryOptions, type OwnedRange } from './memory.js'
export type { AlignedReservation } from './reserve-aligned.js'
export type { RegionState } from './ledger.js'
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
