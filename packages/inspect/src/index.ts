// @memlayer/inspect: look at a memory while the program runs. The page is served on loopback. It shows a snapshot,
// which can be saved and opened again.
export { inspect, type InspectOptions, type Inspector } from './server.js'
export { takeSnapshot } from './take-snapshot.js'
export { momentOf, snapshotVersion } from './snapshot.js'
export type {
  LogEntry,
  Moment,
  PageCells,
  ProcessFigures,
  ResidentFigures,
  Snapshot,
  SnapshotHold,
  SnapshotLimit,
  SnapshotLimits,
  SnapshotRegion,
} from './snapshot.js'
export type { StoredRegion, TimelineData, TimelineRegion, TimelineStep } from './timeline.js'
export type { SnapshotStore, StoreFigures, Stores } from './stores.js'
export { record, type Recording, type RecordOptions } from './recorder.js'
export { alertsOf, type Alert, type Alerted } from './alerts.js'
export { traceOf, type TraceEvent } from './trace.js'
export { drawTerminal } from './terminal.js'
export { showTerminal, type TerminalOptions, type TerminalOutput, type TerminalView } from './terminal-screen.js'
