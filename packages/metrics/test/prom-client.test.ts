// prom-client's registry collects the metrics, and Debian's Prometheus server scrapes them.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createMemory, type Memory } from '@memlayer/core'
import { instruments, type InstrumentName } from '@memlayer/metrics'
import { observeMemory } from '@memlayer/metrics/opentelemetry'
import { collectMemory, prometheusName } from '@memlayer/metrics/prom-client'
import { createOS as createWindows } from '@memlayer/os-windows'
import { simulate } from '@memlayer/simkernel'
import { AggregatorRegistry, Registry, type PrometheusContentType } from 'prom-client'
import { describe, expect, it, type TestContext } from 'vitest'
import { expected, inUse } from './world.js'

interface Sample {
  readonly metric: Readonly<Record<string, string>>
  readonly value: number
}

const names = new Map((Object.keys(instruments) as InstrumentName[]).map((name) => [prometheusName(name), name]))

/** The samples with the names that world.ts uses. */
function figures(samples: readonly Sample[]): Record<string, number> {
  return Object.fromEntries(
    samples.map(({ metric: { __name__: name = '', category, state, memory }, value }) => [
      [names.get(name), category, state, memory].filter(Boolean).join(' '),
      value,
    ]),
  )
}

const read = async (registry: Registry): Promise<Record<string, number>> =>
  figures(
    (await registry.getMetricsAsJSON()).flatMap(({ name, values }) =>
      (values as { value: number; labels: Record<string, string> }[]).map(({ labels, value }) => ({
        metric: { __name__: name, ...labels },
        value,
      })),
    ),
  )

describe("prom-client's registry", () => {
  it('gives the figures of stats() at each scrape, under the names that Prometheus expects', async () => {
    const registry = new Registry()
    const memory = inUse()
    collectMemory(memory, { registry })
    expect(await read(registry)).toEqual(expected(memory.stats()))
    memory.sysAlloc(memory.os.traits.pageSize, memory.stat('late'))
    expect(await read(registry)).toEqual(expected(memory.stats()))
    const text = await registry.metrics()
    expect(text).toContain(
      `memlayer_memory_usage_bytes{category="cache",state="ready"} ${memory.stats().categories['cache']?.ready}`,
    )
    expect(text).toContain('# TYPE memlayer_operations_total counter')
  })

  it('sums the processes of a cluster, but not the system that they share', async () => {
    const GiB = 2 ** 30
    const registry = new Registry()
    const memory = createMemory(createWindows({ kernel: simulate('windows', { limits: { commit: 4 * GiB } }) }))
    collectMemory(memory, { registry })
    memory.sysAlloc(GiB, memory.stat('cache'))
    const one = await registry.getMetricsAsJSON()
    const own = await read(registry)
    const all = await read(AggregatorRegistry.aggregate<PrometheusContentType>([one, one]))
    for (const name of ['memlayer.system.commit', 'memlayer.system.commit.limit'])
      expect([name, all[name]]).toEqual([name, own[name]])
    expect([all['memlayer.memory.held cache'], all['memlayer.memory.usage cache ready']]).toEqual([2 * GiB, 2 * GiB])
  })

  it('keeps two memories apart whose labels join to the same text', async () => {
    const registry = new Registry()
    const [one, two] = [inUse(), inUse()]
    one.sysAlloc(3 * one.os.traits.pageSize, one.stat('a,memory:b'))
    two.sysAlloc(5 * two.os.traits.pageSize, two.stat('a'))
    collectMemory({ c: one, 'b,memory:c': two }, { registry })
    const text = await registry.metrics()
    const held = [...text.matchAll(/^memlayer_memory_held_bytes\{.*\} (\d+)$/gm)].map(([, value]) => Number(value))
    const sum = held.reduce((total, value) => total + value, 0)
    expect(sum).toBe(one.stats().total.held + two.stats().total.held)
  })

  it('ends its own metrics alone, once', async () => {
    const registry = new Registry()
    const endOfFirst = collectMemory(inUse(), { registry })
    endOfFirst()
    collectMemory(inUse(), { registry })
    endOfFirst()
    expect(registry.getMetricsAsArray()).toHaveLength(Object.keys(instruments).length)
    const late = new Registry()
    const endOfCleared = collectMemory(inUse(), { registry: late })
    late.clear()
    collectMemory(inUse(), { registry: late })
    endOfCleared()
    expect(late.getMetricsAsArray()).toHaveLength(Object.keys(instruments).length)
  })

  it('reads each memory once per scrape', async () => {
    const registry = new Registry()
    const memory = inUse()
    let reads = 0
    const counted: Memory = Object.create(memory, {
      stats: { value: () => ((reads += 1), memory.stats()) },
      mappings: { value: () => null },
      limit: { value: null },
    }) as Memory
    collectMemory(counted, { registry })
    await registry.metrics()
    expect(reads).toBe(1)
  })

  it('tells several memories apart by name, refuses a name twice, and removes its metrics', async () => {
    const registry = new Registry()
    const memories = { one: inUse(), two: inUse() }
    const letGo = collectMemory(memories, { registry })
    expect((await read(registry))['memlayer.memory.held cache two']).toBe(
      memories.two.stats().categories['cache']?.held,
    )
    expect(() => collectMemory(memories.one, { registry })).toThrow(/already been registered/)
    expect((await read(registry))['memlayer.memory.held cache one']).toBe(
      memories.one.stats().categories['cache']?.held,
    )
    letGo()
    expect(await registry.metrics()).toBe('\n')
    collectMemory(memories.one, { registry })
  })
})

describe('an option that is not known', () => {
  const refusal = expect.objectContaining({ code: 'ERR_MEMLAYER_OPTION' }) as Error

  it('is refused before anything is registered', async () => {
    const registry = new Registry()
    expect(() => collectMemory(inUse(), { registry, label: 'one' } as object)).toThrow(refusal)
    expect(await registry.metrics()).toBe('\n')
  })

  it('is refused by observeMemory too', () => {
    expect(() => observeMemory(inUse(), { attribute: {} } as object)).toThrow(refusal)
  })
})

describe("Debian's Prometheus server", () => {
  it('scrapes a live process and gives the figures of stats()', async (ctx) => {
    const program = requirePrometheus(ctx)
    const registry = new Registry()
    const memory = inUse()
    collectMemory(memory, { registry })
    const metrics = createServer((_, response) => {
      void registry.metrics().then((text) => response.setHeader('Content-Type', registry.contentType).end(text))
    })
    const folder = mkdtempSync(join(tmpdir(), 'memlayer-prometheus-'))
    const port = await listen(metrics)
    const web = await freePort()
    writeFileSync(
      join(folder, 'prometheus.yml'),
      `scrape_configs: [{ job_name: memlayer, scrape_interval: 1s, ` +
        `static_configs: [{ targets: ['127.0.0.1:${port}'] }] }]\n`,
    )
    const server = spawn(
      program,
      [
        `--config.file=${folder}/prometheus.yml`,
        `--storage.tsdb.path=${folder}/data`,
        `--web.listen-address=127.0.0.1:${web}`,
        '--log.level=error',
      ],
      { stdio: 'ignore' },
    )
    try {
      await agrees(web, memory)
      memory.sysAlloc(3 * memory.os.traits.pageSize, memory.stat('late'))
      await agrees(web, memory)
    } finally {
      await end(server)
      metrics.closeAllConnections()
      metrics.close()
      rmSync(folder, { recursive: true, force: true })
    }
  })
})

/** Asks the server until it has scraped the current statistics. Fails when the server never has them. */
async function agrees(port: number, memory: Memory): Promise<void> {
  let answer: Record<string, number> = {}
  const wanted = expected(memory.stats())
  for (const deadline = performance.now() + 60_000; performance.now() < deadline; await sleep(200)) {
    answer = await query(port).catch(() => ({}))
    if (Object.keys(wanted).every((key) => answer[key] === wanted[key])) break
  }
  expect(answer).toEqual(wanted)
}

async function query(port: number): Promise<Record<string, number>> {
  const response = await fetch(
    `http://127.0.0.1:${port}/api/v1/query?query=${encodeURIComponent('{__name__=~"memlayer_.*"}')}`,
  )
  const { data } = (await response.json()) as {
    data: { result: { metric: Record<string, string>; value: [number, string] }[] }
  }
  return figures(data.result.map(({ metric, value }) => ({ metric, value: Number(value[1]) })))
}

function requirePrometheus(ctx: TestContext): string {
  const path = '/usr/bin/prometheus'
  if (existsSync(path)) return path
  const note = 'needs Prometheus: apt-get install --no-install-recommends prometheus'
  if (process.env['CI'] === 'true') throw new Error(note)
  return ctx.skip(note)
}

async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

async function freePort(): Promise<number> {
  const server = createServer()
  const port = await listen(server)
  server.close()
  return port
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return
  child.kill()
  await once(child, 'exit')
}
