// A memory's statistics as metrics of prom-client. They are read when Prometheus scrapes the registry, and cost nothing
// in between. The names are the ones that OpenTelemetry's own exporter writes for Prometheus.
import { checkOptions, type Memory } from '@memlayer/core'
import { Counter, Gauge, register, type OpenMetricsContentType, type Registry } from 'prom-client'
import { instruments, readPoints, type Instrument, type InstrumentName, type Point } from './points.js'

export type { InstrumentName } from './points.js'

/** Options of `collectMemory`. */
export interface CollectOptions {
  /** The registry that Prometheus scrapes. Default: prom-client's own. */
  readonly registry?: Registry | Registry<OpenMetricsContentType>
}

/** One memory, or several by name. The name becomes the label `memory`. */
export type Memories = Memory | Readonly<Record<string, Memory>>

/**
 * Registers the metrics of one memory or of several. The returned function removes them. The process's own metrics,
 * for example `process_resident_memory_bytes`, come from prom-client's `collectDefaultMetrics()`.
 *
 * @throws UsageError ERR_MEMLAYER_OPTION, when an option is not known.
 * @throws Error prom-client's own error, when the registry already has metrics with these names.
 */
export function collectMemory(memories: Memories, options: CollectOptions = {}): () => void {
  const { registry = register } = checkOptions('collectMemory', options, ['registry'])
  const source = sourceOf(memories)
  const made: string[] = []
  try {
    for (const name of Object.keys(instruments) as InstrumentName[]) {
      made.push(create(name, instruments[name], source, registry as Registry))
    }
  } catch (error) {
    for (const name of made) registry.removeSingleMetric(name)
    throw error
  }
  return () => {
    for (const name of made) registry.removeSingleMetric(name)
  }
}

/** The name of an instrument in Prometheus, for example `memlayer_memory_usage_bytes`. */
export function prometheusName(name: InstrumentName): string {
  const { kind, unit }: Instrument = instruments[name]
  const base = `${name.replaceAll('.', '_')}${unit === 'By' ? '_bytes' : ''}`
  return kind === 'counter' ? `${base}_total` : base
}

interface Source {
  readonly labelNames: readonly string[]
  /** The points of one instrument with their labels. */
  read(name: InstrumentName): { readonly value: number; readonly labels: Record<string, string> }[]
}

/** Reads the memories once for all metrics of a scrape, because prom-client collects in one turn of the event loop. */
function sourceOf(memories: Memories): Source {
  const isOne = typeof memories.stats === 'function'
  const named = isOne ? { '': memories as Memory } : (memories as Readonly<Record<string, Memory>>)
  let points: readonly (readonly [memory: string, point: Point])[] | null = null
  return {
    labelNames: isOne ? [] : ['memory'],
    read(name): { value: number; labels: Record<string, string> }[] {
      if (points === null) {
        points = Object.entries(named).flatMap(([memory, one]) =>
          readPoints(one).map((point) => [memory, point] as const),
        )
        queueMicrotask(() => (points = null))
      }
      return points
        .filter(([, point]) => point.name === name)
        .map(([memory, point]) => ({ value: point.value, labels: labelsOf(isOne ? null : memory, point) }))
    },
  }
}

function labelsOf(memory: string | null, { category, state }: Point): Record<string, string> {
  return {
    ...(memory === null ? {} : { memory }),
    ...(category === undefined ? {} : { category }),
    ...(state === undefined ? {} : { state }),
  }
}

function create(
  instrument: InstrumentName,
  { kind, description, attributes }: Instrument,
  source: Source,
  registry: Registry,
): string {
  const name = prometheusName(instrument)
  const shared = { name, help: description, registers: [registry], labelNames: [...source.labelNames, ...attributes] }
  if (kind === 'counter') {
    const counter: Counter = new Counter({
      ...shared,
      collect(): void {
        counter.reset()
        for (const { labels, value } of source.read(instrument)) counter.inc(labels, value)
      },
    })
    return name
  }
  const gauge: Gauge = new Gauge({
    ...shared,
    collect(): void {
      gauge.reset()
      // reset() sets a gauge without labels to 0, but an unknown figure is not 0.
      if (shared.labelNames.length === 0) gauge.remove()
      for (const { labels, value } of source.read(instrument)) gauge.set(labels, value)
    },
  })
  return name
}
