// The log as Chrome trace events, which Perfetto and chrome://tracing open.
import type { LogEntry, Moment } from './snapshot.js'

/** One event of the trace format: an instant, a counter, or what the process is called. */
export interface TraceEvent {
  /** What happened, or what is counted. */
  readonly name: string
  /** The kind of event. */
  readonly ph: 'i' | 'C' | 'M'
  /** Microseconds. */
  readonly ts: number
  /** The process, which is one. */
  readonly pid: number
  /** The thread, which is one. */
  readonly tid: number
  /** An instant is the whole process's. */
  readonly s?: 'p'
  /** Figures and details. */
  readonly args: Readonly<Record<string, string | number | null>>
}

/** A trace of a log, with the figures of moments as counters, in order of time. */
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
    events.push({ name: 'process', ph: 'C', ts: at * 1000, ...place, args: { resident, heapUsed, external } })
  }
  const name: TraceEvent = { name: 'process_name', ph: 'M', ts: 0, ...place, args: { name: 'memlayer' } }
  return { traceEvents: [name, ...events.sort((a, b) => a.ts - b.ts)] }
}
