// A memory's statistics as metrics of prom-client. They are read when Prometheus scrapes the registry, and cost nothing
// in between. The names are the ones that OpenTelemetry's own exporter writes for Prometheus.
import { checkOptions, type Memory } from '@memlayer/core'
import { Counter, Gauge, register, type OpenMetricsContentType, type Registry } from 'prom-client'
import {
  attributeNames,
  instruments,
  isOfProcess,
  isOfStore,
  type Attribute,
  type Instrument,
  type InstrumentName,
} from './instruments.js'
import { categoriesOf, readPoints, type Point, type PointOptions } from './points.js'
import { storePoints, type Stores } from './stores.js'
import { Tally } from './tally.js'

export type { InstrumentName } from './instruments.js'
export type { PointOptions } from './points.js'
export type { CacheFigures, HeapFigures, Stores } from './stores.js'

/** Options of `collectMemory`. */
export interface CollectOptions extends PointOptions, Stores {
  /** The registry that Prometheus scrapes. Default: prom-client's own. */
  readonly registry?: Registry | Registry<OpenMetricsContentType>
  /**
   * Whether operations are counted by name, and failed ones by error: `memlayer_calls_total` and
   * `memlayer_failures_total`. Each operation then takes a tenth of a microsecond more. Default: false.
   */
  readonly operations?: boolean
}

/** One memory, or several by name. The name becomes the label `memory`. */
export type Memories = Memory | Readonly<Record<string, Memory>>

/**
 * Registers the metrics of one memory or of several. The returned function removes these, and no others. The process's
 * own metrics, for example `process_resident_memory_bytes`, come from prom-client's `collectDefaultMetrics()`.
 *
 * @throws UsageError ERR_MEMLAYER_OPTION, when an option is not known.
 * @throws Error prom-client's own error, when the registry already has metrics with these names.
 */
export function collectMemory(memories: Memories, options: CollectOptions = {}): () => void {
  const known = ['registry', 'operations', 'categories', 'heaps', 'caches'] as const
  const {
    registry = register,
    operations = false,
    categories,
    ...stores
  } = checkOptions('collectMemory', options, known)
  const source = sourceOf(memories, { categories: categoriesOf(categories) }, operations, stores)
  const made = new Map<string, Metric>()
  let hasEnded = false
  const end = (): void => {
    if (hasEnded) return
    hasEnded = true
    source.end()
    for (const [name, metric] of made) {
      // After `registry.clear()` the name may be another collector's.
      if (registry.getSingleMetric(name) === metric) registry.removeSingleMetric(name)
    }
  }
  try {
    for (const name of Object.keys(instruments) as InstrumentName[]) {
      made.set(prometheusName(name), create(name, source, registry as Registry))
    }
  } catch (error) {
    end()
    throw error
  }
  return end
}

/** The name of an instrument in Prometheus, for example `memlayer_memory_usage_bytes`. */
export function prometheusName(name: InstrumentName): string {
  const { kind, unit }: Instrument = instruments[name]
  const suffix = unit === 'By' ? '_bytes' : unit === 's' ? '_seconds' : ''
  const base = `${name.replaceAll('.', '_')}${suffix}`
  return kind === 'counter' ? `${base}_total` : base
}

type Metric = Counter | Gauge
type Values = Awaited<ReturnType<Metric['get']>>

interface Source {
  readonly labelNames: readonly string[]
  /** The points of one instrument with their labels. */
  read(name: InstrumentName): { readonly value: number; readonly labels: Record<string, string> }[]
  /** Stops counting operations. */
  end(): void
}

/** Reads the memories once for all metrics of a scrape, because prom-client collects in one turn of the event loop. */
function sourceOf(memories: Memories, options: PointOptions, operations: boolean, stores: Stores): Source {
  const isOne = typeof memories.stats === 'function'
  const named = isOne ? { '': memories as Memory } : (memories as Readonly<Record<string, Memory>>)
  const tallies = new Map(Object.values(operations ? named : {}).map((memory) => [memory, new Tally(memory)]))
  let points: readonly (readonly [memory: string | null, point: Point])[] | null = null
  return {
    labelNames: isOne ? [] : ['memory'],
    read(name): { value: number; labels: Record<string, string> }[] {
      if (points === null) {
        points = Object.entries(named).flatMap(([memory, one]) =>
          [...readPoints(one, options), ...(tallies.get(one)?.points() ?? [])].map((point) => [memory, point] as const),
        )
        points = [...points, ...storePoints(stores).map((point) => [null, point] as const)]
        queueMicrotask(() => (points = null))
      }
      const found = points.filter(([, point]) => point.name === name)
      // Every memory tells of the one process. A sum over memories would count it several times.
      if (isOfProcess(name))
        return found
          .filter(([memory]) => memory === found[0]?.[0])
          .map(([, point]) => ({ value: point.value, labels: labelsOf(null, point) }))
      return found.map(([memory, point]) => ({ value: point.value, labels: labelsOf(isOne ? null : memory, point) }))
    },
    end(): void {
      for (const tally of tallies.values()) tally.end()
    },
  }
}

function labelsOf(memory: string | null, point: Point): Record<string, string> {
  const labels: Record<string, string> = memory === null ? {} : { memory }
  for (const name of Object.keys(attributeNames) as Attribute[]) {
    const value = point[name]
    if (value !== undefined) labels[name] = value
  }
  return labels
}

function create(instrument: InstrumentName, source: Source, registry: Registry): Metric {
  const { kind, description, attributes }: Instrument = instruments[instrument]
  const name = prometheusName(instrument)
  const shared = {
    name,
    help: description,
    registers: [registry],
    labelNames:
      isOfProcess(instrument) || isOfStore(instrument) ? [...attributes] : [...source.labelNames, ...attributes],
    // How prom-client joins the processes of a cluster. All of them have the same system, and ages do not add up.
    aggregator: isLargest(instrument) ? ('max' as const) : ('sum' as const),
  }
  const metric = kind === 'counter' ? new Counter(shared) : new Gauge(shared)
  const get = metric.get.bind(metric)
  // prom-client keeps values by a text that joins their labels. Two memories may have the same text, so no value is
  // kept there.
  metric.get = async (): Promise<Values> => ({ ...(await get()), values: source.read(instrument) })
  return metric
}

const isLargest = (name: InstrumentName): boolean =>
  name.startsWith('memlayer.system.') || name.startsWith('memlayer.process.limit') || name.endsWith('.age')
