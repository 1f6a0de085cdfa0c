// @memlayer/metrics: what a memory's account says, for whoever watches programs. The entries
// opentelemetry and prom-client publish what this one reads; events go to diagnostics_channel.
export { publishEvents, channels, type PublishedEvent } from './events.js'
export { instruments, readPoints, type Instrument, type InstrumentName, type Point } from './points.js'
