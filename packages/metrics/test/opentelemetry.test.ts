// OpenTelemetry's own reader collects from the instruments.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createMemory } from '@memlayer/core'
import { createOS } from '@memlayer/os-linux'
import { observeMemory } from '@memlayer/metrics/opentelemetry'
import { MeterProvider, MetricReader, type ResourceMetrics } from '@opentelemetry/sdk-metrics'
import { runChild } from '@memlayer/witness'
import { describe, expect, it } from 'vitest'
import { expected, inUse } from './world.js'

class Reader extends MetricReader {
  protected override async onForceFlush(): Promise<void> {}
  protected override async onShutdown(): Promise<void> {}
}

const setUp = (): { provider: MeterProvider; reader: Reader } => {
  const reader = new Reader()
  return { provider: new MeterProvider({ readers: [reader] }), reader }
}

/** The figures that a reader collected, by `name category state`. */
function figures({ scopeMetrics }: ResourceMetrics): Record<string, number> {
  const found: Record<string, number> = {}
  for (const { descriptor, dataPoints } of scopeMetrics.flatMap(({ metrics }) => metrics)) {
    for (const { attributes, value } of dataPoints) {
      const {
        'memlayer.category': category,
        'memlayer.state': state,
        memory,
      } = attributes as Record<string, string | undefined>
      const key = [descriptor.name, category, state, memory].filter((part) => part !== undefined).join(' ')
      found[key] = value as number
    }
  }
  return found
}

const collect = async (reader: Reader): Promise<Record<string, number>> => {
  const { resourceMetrics, errors } = await reader.collect()
  expect(errors).toEqual([])
  return figures(resourceMetrics)
}

describe("the OpenTelemetry SDK's reader", () => {
  it('gives the figures of stats(), and new ones after a change', async () => {
    const { provider, reader } = setUp()
    const memory = inUse()
    observeMemory(memory, { meter: provider.getMeter('test'), process: false })
    expect(await collect(reader)).toEqual(expected(memory.stats()))
    memory.sysAlloc(memory.os.traits.pageSize, memory.stat('late'))
    expect(await collect(reader)).toEqual(expected(memory.stats()))
    await provider.shutdown()
  })

  it('gets no points from a memory that was observed before the SDK was set up, and a warning says so', () => {
    const { code, stdout, stderr } = runChild(
      `import { createMemory } from '@memlayer/core'
       import { createOS } from '@memlayer/os-linux'
       import { observeMemory } from '@memlayer/metrics/opentelemetry'
       import { metrics } from '@opentelemetry/api'
       import { MeterProvider } from '@opentelemetry/sdk-metrics'
       const memory = createMemory(createOS())
       observeMemory(memory)
       process.once('warning', ({ code }) => console.log(code))
       metrics.setGlobalMeterProvider(new MeterProvider())
       observeMemory(memory)`,
      { from: join(import.meta.dirname, '..') },
    )
    expect([code, stdout]).toEqual([0, 'MEMLAYER_NO_METER\n'])
    expect(stderr.match(/MEMLAYER_NO_METER/g)).toHaveLength(1)
    expect(stderr).toContain('after the SDK is set up')
  })

  it('tells two memories apart by attributes, and no longer reads a memory after its end', async () => {
    const { provider, reader } = setUp()
    const meter = provider.getMeter('test')
    const [one, two] = [inUse(), inUse()]
    observeMemory(one, { meter, process: false, attributes: { memory: 'one' } })
    const end = observeMemory(two, { meter, process: false, attributes: { memory: 'two' } })
    const both = await collect(reader)
    expect(both['memlayer.memory.held cache one']).toBe(one.stats().categories['cache']?.held)
    expect(both['memlayer.memory.held cache two']).toBe(two.stats().categories['cache']?.held)
    end()
    for (const memory of [one, two]) memory.sysAlloc(memory.os.traits.pageSize, memory.stat('cache'))
    // The SDK repeats the last value that it got.
    const later = await collect(reader)
    expect(later['memlayer.memory.held cache one']).toBe(one.stats().categories['cache']?.held)
    expect(later['memlayer.memory.held cache two']).toBe(both['memlayer.memory.held cache two'])
    await provider.shutdown()
  })

  it('tells of the process once, by the first of its memories, and by the next one when that ends', async () => {
    const { provider, reader } = setUp()
    const meter = provider.getMeter('test')
    const end = observeMemory(inUse(), { meter, attributes: { memory: 'one' } })
    observeMemory(inUse(), { meter, attributes: { memory: 'two' } })
    const usage = async (): Promise<string[]> =>
      Object.keys(await collect(reader)).filter((key) => key.startsWith('process.memory.usage'))
    expect(await usage()).toEqual(['process.memory.usage one'])
    end()
    expect(await usage()).toContain('process.memory.usage two')
    await provider.shutdown()
  })

  it("gives the attributes to the process's points too, and makes no process instruments on request", async () => {
    const { provider, reader } = setUp()
    const meter = provider.getMeter('test')
    const made: string[] = []
    const make = meter.createObservableUpDownCounter.bind(meter)
    meter.createObservableUpDownCounter = (name, options) => {
      made.push(name)
      return make(name, options)
    }
    observeMemory(inUse(), { meter, process: false, attributes: { memory: 'one' } })
    expect(made.filter((name) => name.startsWith('process.'))).toEqual([])
    expect(Object.keys(await collect(reader)).filter((key) => key.startsWith('process.'))).toEqual([])
    observeMemory(inUse(), { meter, attributes: { memory: 'two' } })
    const read = await collect(reader)
    const virtual = process.platform === 'linux' ? ['process.memory.virtual two'] : []
    expect(Object.keys(read).filter((key) => key.startsWith('process.'))).toEqual([
      'process.memory.usage two',
      ...virtual,
    ])
    await provider.shutdown()
  })

  it("adds the process's figures under the conventions' names, equal to the kernel's", async (ctx) => {
    if (process.platform !== 'linux') ctx.skip('runs on Linux')
    const { provider, reader } = setUp()
    const memory = inUse(createMemory(createOS()))
    observeMemory(memory, { meter: provider.getMeter('test') })
    const read = await collect(reader)
    const status = readFileSync('/proc/self/status', 'latin1')
    const kernel = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]) * 1024
    expect(Math.abs((read['process.memory.usage'] as number) - kernel('VmRSS'))).toBeLessThan(64 * 2 ** 20)
    expect(Math.abs((read['process.memory.virtual'] as number) - kernel('VmSize'))).toBeLessThan(256 * 2 ** 20)
    expect(read['memlayer.mappings']).toBe(memory.mappings()?.own)
    expect(read['memlayer.process.mappings.limit']).toBe(memory.mappings()?.limit)
    await provider.shutdown()
  })
})
