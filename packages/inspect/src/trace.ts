// The log as Chrome trace events, which Perfetto and chrome://tracing open.
import type { LogEntry, Snapshot } from './snapshot.js'

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

/** A trace of a log, with the figures of snapshots as counters. */
export function traceOf(log: readonly LogEntry[], snapshots: readonly Snapshot[]): { readonly traceEvents: TraceEvent[] } {
  const place = { pid: 1, tid: 1 }
  const traceEvents: TraceEvent[] = [{ name: 'process_name', ph: 'M', ts: 0, ...place, args: { name: 'memlayer' } }]
  for (const { at, op, address, size, category, outcome, answer } of log) {
    const where = address === null ? null : `0x${address.toString(16)}`
    traceEvents.push({ name: op, ph: 'i', s: 'p', ts: at * 1000, ...place, args: { address: where, size, category, outcome, answer } })
  }
  for (const { at, stats, process } of snapshots) {
    const { reserved, prepared, ready } = stats.total
    traceEvents.push({ name: 'layer', ph: 'C', ts: at * 1000, ...place, args: { reserved, prepared, ready } })
    const { resident, heapUsed, external } = process
    traceEvents.push({ name: 'process', ph: 'C', ts: at * 1000, ...place, args: { resident, heapUsed, external } })
  }
  return { traceEvents }
}
