// The alerts and the dashboard: they are of metrics that there are, and they say what they should.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as after } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { createMemory, type Memory } from '@memlayer/core'
import { instruments, readPoints, type InstrumentName, type Point } from '@memlayer/metrics'
import { collectMemory, prometheusName } from '@memlayer/metrics/prom-client'
import { createOS } from '@memlayer/os-linux'
import { Registry } from 'prom-client'
import { describe, expect, it } from 'vitest'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

const rules = fileURLToPath(new URL('../alerts/memlayer.rules.yml', import.meta.url))
const dashboard = new URL('../alerts/grafana-dashboard.json', import.meta.url)
const known = new Set((Object.keys(instruments) as InstrumentName[]).map(prometheusName))

/** The names of metrics in the expressions of a text. */
const namesIn = (text: string): Set<string> => new Set(text.match(/\bmemlayer_[a-z_]+\b/g))

/** A rule's test: its series a minute for two hours, and the alerts after that. */
interface Case {
  readonly series: readonly (readonly [name: string, values: string])[]
  readonly alert: string
  readonly fires: boolean
}

const cases: readonly Case[] = [
  {
    series: [
      ['memlayer_memory_limit_used_bytes', '96x120'],
      ['memlayer_memory_limit_bytes', '100x120'],
    ],
    alert: 'MemlayerNearLimit',
    fires: true,
  },
  {
    series: [
      ['memlayer_memory_limit_used_bytes', '90x120'],
      ['memlayer_memory_limit_bytes', '100x120'],
    ],
    alert: 'MemlayerNearLimit',
    fires: false,
  },
  {
    series: [
      ['memlayer_process_mappings', '60000x120'],
      ['memlayer_process_mappings_limit', '65530x120'],
    ],
    alert: 'MemlayerNearMappings',
    fires: true,
  },
  { series: [['memlayer_operations_refused_total', '0+1x120']], alert: 'MemlayerRefusals', fires: true },
  { series: [['memlayer_operations_refused_total', '7x120']], alert: 'MemlayerRefusals', fires: false },
  {
    series: [['memlayer_memory_usage_bytes{state="ready"}', '1000+10x120']],
    alert: 'MemlayerSteadyGrowth',
    fires: true,
  },
  {
    // It grows and shrinks, as a cache that works.
    series: [['memlayer_memory_usage_bytes{state="ready"}', '1000+10x25 1250-10x25 1000+10x25 1250-10x45']],
    alert: 'MemlayerSteadyGrowth',
    fires: false,
  },
  { series: [['memlayer_memory_leaked_bytes', '1x120']], alert: 'MemlayerLeaked', fires: true },
  { series: [['memlayer_memory_pinned_bytes', '4096x120']], alert: 'MemlayerPinned', fires: true },
  { series: [['memlayer_memory_pinned_bytes', '0x120']], alert: 'MemlayerPinned', fires: false },
  { series: [['memlayer_memory_hold_age_seconds', '0+60x120']], alert: 'MemlayerOldHold', fires: true },
  { series: [['memlayer_memory_hold_age_seconds', '60x120']], alert: 'MemlayerOldHold', fires: false },
]

/** The expressions of tests, so that a rule that does not fire is told from one that does not exist. */
function testOf({ series, alert, fires }: Case): object {
  const expression = `count(ALERTS{alertname="${alert}",alertstate="firing"}) or vector(0)`
  return {
    interval: '1m',
    input_series: series.map(([name, values]) => ({ series: name, values })),
    promql_expr_test: [{ expr: expression, eval_time: '110m', exp_samples: [{ labels: '{}', value: fires ? 1 : 0 }] }],
  }
}

describe('the alerts and the dashboard', () => {
  it('are of metrics that there are', () => {
    for (const text of [readFileSync(rules, 'utf8'), readFileSync(dashboard, 'utf8')]) {
      const names = namesIn(text)
      expect(names.size).toBeGreaterThan(7)
      expect([...names].filter((name) => !known.has(name))).toEqual([])
    }
    const { panels } = JSON.parse(readFileSync(dashboard, 'utf8')) as { panels: { targets: { expr: string }[] }[] }
    expect(panels.flatMap(({ targets }) => targets).length).toBeGreaterThan(10)
  })

  it('fire when they should, and only then, as promtool says', (ctx) => {
    const folder = mkdtempSync(join(tmpdir(), 'memlayer-alerts-'))
    const file = join(folder, 'test.yml')
    // JSON is YAML as well.
    writeFileSync(file, JSON.stringify({ rule_files: [rules], evaluation_interval: '1m', tests: cases.map(testOf) }))
    const { stdout, stderr, status, error } = spawnSync('promtool', ['test', 'rules', file], { encoding: 'utf8' })
    rmSync(folder, { recursive: true })
    if (error !== undefined) return ctx.skip('needs promtool: apt-get install prometheus')
    expect([status, stdout, stderr]).toEqual([0, expect.stringContaining('SUCCESS'), ''])
  })
})

function leak(memory: Memory): void {
  memory.reserve(2 ** 20, { name: 'dropped', stat: memory.stat('sessions') }).commit(0, 2 ** 19)
}

describe.skipIf(process.platform !== 'linux')('the figures that alerts want', () => {
  it('are leaked regions by category, and holds with the age of the oldest', async () => {
    const memory = createMemory(createOS())
    const read = (name: InstrumentName): Point[] => readPoints(memory).filter((point) => point.name === name)
    expect([read('memlayer.memory.leaked'), read('memlayer.memory.hold.age')]).toEqual([[], []])
    leak(memory)
    await expect
      .poll(async () => {
        collect()
        await after(20)
        return read('memlayer.memory.leaked')
      })
      .toEqual([{ name: 'memlayer.memory.leaked', value: 2 ** 20, category: 'sessions' }])
    using region = memory.reserve(2 ** 16, { name: 'held' })
    region.commit(0, 2 ** 16)
    using hold = region.hold(0, 4096)
    await after(50)
    expect(hold).toBeDefined()
    expect(read('memlayer.memory.holds').map(({ value }) => value)).toEqual([1])
    expect(read('memlayer.memory.hold.age')[0]?.value).toBeGreaterThan(0.03)
    for (const { parts } of memory.leaks()) for (const [v, n] of parts) memory.sysFree(v, n, null)
    expect(read('memlayer.memory.leaked')).toEqual([])
  })

  it('are those of the process once, however many memories are collected', async () => {
    const registry = new Registry()
    const memories = { one: createMemory(createOS()), two: createMemory(createOS()) }
    collectMemory(memories, { registry })
    const lines = (await registry.metrics()).split('\n')
    for (const name of ['memlayer_process_mappings', 'memlayer_process_mappings_limit']) {
      const samples = lines.filter((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`))
      expect(samples).toEqual([expect.stringMatching(/^\w+ \d+$/)])
    }
    expect(lines.filter((line) => line.startsWith('memlayer_mappings{'))).toHaveLength(2)
  })
})
