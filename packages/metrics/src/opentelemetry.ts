// The account as OpenTelemetry's observable instruments: read when a reader collects, at no cost
// between. Only the API is imported; whichever SDK the program has set up does the rest.
import type { Memory } from '@memlayer/core'
import { metrics, type Attributes, type BatchObservableResult, type Meter, type Observable } from '@opentelemetry/api'
import { instruments, readPoints, type Instrument, type InstrumentName } from './points.js'
import { processPoints } from './process-points.js'

/** How a memory is observed. */
export interface ObserveOptions {
  /** The meter that the instruments belong to. Default: the global provider's, named `@memlayer/metrics`. */
  readonly meter?: Meter
  /** Attributes of every point of this memory: what tells two memories of a process apart. */
  readonly attributes?: Attributes
  /** Whether `process.memory.usage` and `process.memory.virtual` are observed too. Default true; false where a host metrics package does so. */
  readonly process?: boolean
}

/** Observes a memory by OpenTelemetry; the function returned ends it. */
export function observeMemory(memory: Memory, options: ObserveOptions = {}): () => void {
  const { meter = metrics.getMeter('@memlayer/metrics'), attributes = {}, process = true } = options
  const observables = new Map<InstrumentName, Observable>()
  for (const name of Object.keys(instruments) as InstrumentName[])
    observables.set(name, create(meter, name, instruments[name]))
  // Not even made where somebody else has them: two instruments of one name are told of as a conflict.
  const host = process ? createProcess(meter) : null
  const callback = (result: BatchObservableResult): void => {
    for (const { name, value, category, state } of readPoints(memory)) {
      const observable = observables.get(name)
      const own: Attributes = { ...attributes }
      if (category !== undefined) own['memlayer.category'] = category
      if (state !== undefined) own['memlayer.state'] = state
      if (observable !== undefined) result.observe(observable, value, own)
    }
    if (host === null) return
    const { usage, virtual } = processPoints()
    result.observe(host.usage, usage, attributes)
    if (virtual !== null) result.observe(host.virtual, virtual, attributes)
  }
  const all = [...observables.values(), ...(host === null ? [] : [host.usage, host.virtual])]
  meter.addBatchObservableCallback(callback, all)
  return () => meter.removeBatchObservableCallback(callback, all)
}

/** By the names, units and words of the semantic conventions. */
function createProcess(meter: Meter): { readonly usage: Observable; readonly virtual: Observable } {
  return {
    usage: meter.createObservableUpDownCounter('process.memory.usage', {
      unit: 'By',
      description: 'The amount of physical memory in use.',
    }),
    virtual: meter.createObservableUpDownCounter('process.memory.virtual', {
      unit: 'By',
      description: 'The amount of committed virtual memory.',
    }),
  }
}

function create(meter: Meter, name: string, { kind, unit, description }: Instrument): Observable {
  if (kind === 'sum') return meter.createObservableUpDownCounter(name, { unit, description })
  if (kind === 'gauge') return meter.createObservableGauge(name, { unit, description })
  return meter.createObservableCounter(name, { unit, description })
}
