// @memlayer/metrics: a memory's statistics for monitoring. This entry reads them and publishes events on
// diagnostics_channel. The entries opentelemetry and prom-client export them.
export { publishEvents, channels, type PublishedEvent } from './events.js'
export { instruments, readPoints, type Instrument, type InstrumentName, type Point } from './points.js'
