// @memlayer/inspect: look at a memory while it lives. The page is served on loopback; what it shows is a
// snapshot, which can be kept and opened again.
export { inspect, type InspectOptions, type Inspector } from './server.js'
export { takeSnapshot } from './take-snapshot.js'
export { momentOf } from './snapshot.js'
export type {
  LogEntry,
  Moment,
  PageCells,
  ProcessFigures,
  ResidentFigures,
  Snapshot,
  SnapshotRegion,
} from './snapshot.js'
export { traceOf, type TraceEvent } from './trace.js'
export { drawTerminal } from './terminal.js'
