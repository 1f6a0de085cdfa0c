// Writes the log as Chrome trace events, which Perfetto and chrome://tracing open.
import type { LogEntry, Moment } from './snapshot.js'

/** One event of the trace format: an instant, a counter, or the name of the process. */
export interface TraceEvent {
  /** The name of the operation or of the counter. */
  readonly name: string
  /** The kind of event. */
  readonly ph: 'i' | 'C' | 'M'
  /** The time in microseconds. */
  readonly ts: number
  /** The process, always 1. */
  readonly pid: number
  /** The thread, always 1. */
  readonly tid: number
  /** The scope of an instant: the whole process. */
  readonly s?: 'p'
  /** Figures and details. */
  readonly args: Readonly<Record<string, string | number | null>>
}

/** A trace of a log in order of time. The figures of `moments` become counters. */
export function traceOf(log: readonly LogEntry[], moments: readonly Moment[]): { readonly traceEvents: TraceEvent[] } {
  const place = { pid: 1, tid: 1 }
  const events: TraceEvent[] = []
  for (const { at, op, address, size, category, outcome, answer } of log) {
    const where = address === null ? null : `0x${address.toString(16)}`
    events.push({
      name: op,
      ph: 'i',
      s: 'p',
      ts: at * 1000,
      ...place,
      args: { address: where, size, category, outcome, answer },
    })
  }
  for (const { at, reserved, prepared, ready, resident, heapUsed, external } of moments) {
    events.push({ name: 'layer', ph: 'C', ts: at * 1000, ...place, args: { reserved, prepared, ready } })
    const known = resident === null ? {} : { resident }
    events.push({ name: 'process', ph: 'C', ts: at * 1000, ...place, args: { ...known, heapUsed, external } })
  }
  const name: TraceEvent = { name: 'process_name', ph: 'M', ts: 0, ...place, args: { name: 'memlayer' } }
  return { traceEvents: [name, ...events.sort((a, b) => a.ts - b.ts)] }
}
