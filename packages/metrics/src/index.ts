// @memlayer/metrics: a memory's statistics for monitoring. This entry reads them and publishes events on
// diagnostics_channel. The entries opentelemetry and prom-client export them.
export { publishEvents, channels, type PublishedEvent } from './events.js'
export { instruments, type Attribute, type Instrument, type InstrumentName } from './instruments.js'
export { storePoints, type CacheFigures, type HeapFigures, type Stores } from './stores.js'
export { readPoints, type Point, type PointOptions } from './points.js'
