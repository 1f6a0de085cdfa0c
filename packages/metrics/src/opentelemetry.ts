// A memory's statistics as OpenTelemetry's observable instruments. They are read when a reader collects, and cost
// nothing in between. This file imports only the API. The program's own SDK does the rest.
import { checkOptions, type Memory } from '@memlayer/core'
import {
  createNoopMeter,
  metrics,
  type Attributes,
  type BatchObservableResult,
  type Meter,
  type Observable,
} from '@opentelemetry/api'
import {
  attributeNames,
  instruments,
  isOfProcess,
  type Attribute,
  type Instrument,
  type InstrumentName,
} from './instruments.js'
import { categoriesOf, readPoints, type Point, type PointOptions } from './points.js'
import { processPoints } from './process-points.js'
import { storePoints, type Stores } from './stores.js'
import { Tally } from './tally.js'

export type { PointOptions } from './points.js'
export type { CacheFigures, HeapFigures, Stores } from './stores.js'

/** Options of `observeMemory`. */
export interface ObserveOptions extends PointOptions, Stores {
  /**
   * The meter of the instruments. Default: the global provider's meter with the name `@memlayer/metrics`. Set up the
   * SDK before: without it the API gives a meter that drops every point, and a warning, MEMLAYER_NO_METER, says so.
   */
  readonly meter?: Meter
  /** Attributes of every point of this memory. They tell two memories of a process apart. */
  readonly attributes?: Attributes
  /**
   * Whether to observe `process.memory.usage` and `process.memory.virtual` too. Default: true. Set it to false when a
   * host metrics package observes them.
   */
  readonly process?: boolean
  /**
   * Whether operations are counted by name, and failed ones by error: `memlayer.calls` and `memlayer.failures`. Each
   * operation then takes a tenth of a microsecond more. Default: false.
   */
  readonly operations?: boolean
}

/**
 * Observes a memory with OpenTelemetry. The returned function stops that.
 *
 * @throws UsageError ERR_MEMLAYER_OPTION, when an option is not known.
 */
export function observeMemory(memory: Memory, options: ObserveOptions = {}): () => void {
  const known = ['meter', 'attributes', 'process', 'operations', 'categories', 'heaps', 'caches'] as const
  const read = checkOptions('observeMemory', options, known)
  const categories = categoriesOf(read.categories)
  const {
    meter = globalMeter(),
    attributes = {},
    process: withProcess = true,
    operations = false,
    heaps = {},
    caches = {},
  } = read
  const stores = { heaps, caches }
  const tally = operations ? new Tally(memory) : null
  const observables = new Map<InstrumentName, Observable>()
  for (const name of Object.keys(instruments) as InstrumentName[])
    observables.set(name, create(meter, name, instruments[name]))
  // Do not even make them when another package has them: the SDK reports two instruments of one name as a conflict.
  const host = withProcess ? createProcess(meter) : null
  const self = Symbol('observer')
  const observers = observersOf(observing, meter, self)
  const hosts = host === null ? observers : observersOf(hosting, meter, self)
  const callback = (result: BatchObservableResult): void => {
    // One observer tells of the process. A sum over memories would count it several times.
    const tellsProcess = observers.values().next().value === self
    for (const point of [...readPoints(memory, { categories }), ...(tally?.points() ?? []), ...storePoints(stores)]) {
      const observable = observables.get(point.name)
      if (observable === undefined || (isOfProcess(point.name) && !tellsProcess)) continue
      result.observe(observable, point.value, { ...attributes, ...attributesOf(point) })
    }
    if (host === null || hosts.values().next().value !== self) return
    const { usage, virtual } = processPoints()
    if (usage !== null) result.observe(host.usage, usage, attributes)
    if (virtual !== null) result.observe(host.virtual, virtual, attributes)
  }
  const all = [...observables.values(), ...(host === null ? [] : [host.usage, host.virtual])]
  meter.addBatchObservableCallback(callback, all)
  return () => {
    tally?.end()
    for (const set of [observers, hosts]) set.delete(self)
    meter.removeBatchObservableCallback(callback, all)
  }
}

function attributesOf(point: Point): Attributes {
  const own: Attributes = {}
  for (const name of Object.keys(attributeNames) as Attribute[]) {
    const value = point[name]
    if (value !== undefined) own[attributeNames[name]] = value
  }
  return own
}

/** The observers of each meter, and those that have the process's own instruments. The first of them tells of it. */
const observing: WeakMap<Meter, Set<symbol>> = /* @__PURE__ */ new WeakMap()
const hosting: WeakMap<Meter, Set<symbol>> = /* @__PURE__ */ new WeakMap()

function observersOf(all: WeakMap<Meter, Set<symbol>>, meter: Meter, self: symbol): Set<symbol> {
  let observers = all.get(meter)
  if (observers === undefined) all.set(meter, (observers = new Set()))
  return observers.add(self)
}

/** The global provider's meter. The API does not tell a meter that an SDK was set up after it was made. */
function globalMeter(): Meter {
  const meter = metrics.getMeter('@memlayer/metrics')
  if (meter !== createNoopMeter()) return meter
  process.emitWarning('OpenTelemetry has no SDK yet, so observeMemory() gives no points', {
    type: 'MemlayerWarning',
    code: 'MEMLAYER_NO_METER',
    detail: 'Call observeMemory() after the SDK is set up, or pass a meter: observeMemory(memory, { meter }).',
  })
  return meter
}

/** Makes the process's instruments, with the names, units and descriptions of the semantic conventions. */
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
