// The leaks of the photo service by the alerts of @memlayer/metrics alone: its figures of two hours, minute by
// minute, in Prometheus' own rule engine.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Memory } from '@memlayer/core'
import { readPoints } from '@memlayer/metrics'
import { prometheusName } from '@memlayer/metrics/prom-client'
import { afterEach, expect, it, vi } from 'vitest'
import { untilLeaked } from './collecting.js'

const rules = fileURLToPath(new URL('../../metrics/alerts/memlayer.rules.yml', import.meta.url))
const minutes = 120

interface PhotoService {
  readonly memory: Memory
  readonly second: () => void
}

async function startPhotos(): Promise<PhotoService> {
  const file: string = './photo-service/service.mjs'
  const { startPhotoService } = (await import(file)) as {
    startPhotoService(memory?: Memory, options?: object): PhotoService
  }
  // A minute is a second of its work, with images that are small.
  return startPhotoService(undefined, { thumbnailBytes: 2 ** 16, sessionBytes: 2 ** 16, scratchBytes: 2 ** 16 })
}

afterEach(() => vi.useRealTimers())

/** The metrics of each minute, by their names with labels. A minute in which one is not there has `_`. */
function record(series: Map<string, string[]>, memory: Memory, minute: number): void {
  for (const { name, category, state, value } of readPoints(memory)) {
    const labels = Object.entries({ category, state }).filter(([, one]) => one !== undefined)
    const text = labels.map(([label, one]) => `${label}="${one}"`).join(',')
    const key = `${prometheusName(name)}{${text}}`
    const values = series.get(key) ?? Array.from({ length: minute }, () => '_')
    series.set(key, [...values, String(value)])
  }
  for (const values of series.values()) if (values.length <= minute) values.push('_')
}

it.skipIf(process.platform !== 'linux')(
  'the alerts say which category grows and which leaks, and that a hold is old',
  async (ctx) => {
    const { memory, second } = await startPhotos()
    const series = new Map<string, string[]>()
    for (let i = 0; i < 10; i++) second()
    // Collections take real time.
    await untilLeaked(memory, 3)
    vi.useFakeTimers({ toFake: ['performance'] })
    for (let minute = 0; minute < minutes; minute++) {
      second()
      record(series, memory, minute)
      vi.advanceTimersByTime(60_000)
    }
    vi.useRealTimers()
    const firing = (by: string): string => `count by (alertname${by}) (ALERTS{alertstate="firing"})`
    const folder = mkdtempSync(join(tmpdir(), 'memlayer-leaks-'))
    const file = join(folder, 'test.yml')
    const labels = (alert: string, category?: string): string =>
      category === undefined ? `{alertname="${alert}"}` : `{alertname="${alert}",category="${category}"}`
    const test = {
      interval: '1m',
      input_series: Array.from(series, ([name, values]) => ({ series: name, values: values.join(' ') })),
      promql_expr_test: [
        {
          expr: firing(',category'),
          eval_time: `${minutes - 5}m`,
          exp_samples: [
            { labels: labels('MemlayerSteadyGrowth', 'thumbnails'), value: 1 },
            // What is dropped grows too. The next alert tells it from a cache.
            { labels: labels('MemlayerSteadyGrowth', 'sessions'), value: 1 },
            { labels: labels('MemlayerLeaked', 'sessions'), value: 1 },
            { labels: labels('MemlayerOldHold'), value: 1 },
          ],
        },
      ],
    }
    // JSON is YAML as well.
    writeFileSync(file, JSON.stringify({ rule_files: [rules], evaluation_interval: '1m', tests: [test] }))
    const { stdout, stderr, status, error } = spawnSync('promtool', ['test', 'rules', file], { encoding: 'utf8' })
    rmSync(folder, { recursive: true })
    if (error !== undefined) return ctx.skip('needs promtool: apt-get install prometheus')
    expect([status, stdout, stderr]).toEqual([0, expect.stringContaining('SUCCESS'), ''])
  },
)
