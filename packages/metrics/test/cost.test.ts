// What observing costs: processor time with one snapshot per second of a memory with 10,000 ranges, less the time
// without. It runs in a process of its own, so that nothing else is measured. It counts processor time, because wall
// time depends on other programs.
import { isLong, runChild } from '@memlayer/witness'
import { describe, expect, it } from 'vitest'

const program = `
import { setTimeout as sleep } from 'node:timers/promises'
import { createMemory } from '@memlayer/core'
import { createOS } from '@memlayer/os-linux'
import { observeMemory } from '@memlayer/metrics/opentelemetry'
import { collectMemory } from '@memlayer/metrics/prom-client'
import { MeterProvider, MetricReader } from '@opentelemetry/sdk-metrics'
import { Registry } from 'prom-client'

const RANGES = 10_000
const SECONDS = 2
const memory = createMemory(createOS())
const { pageSize } = memory.os.traits
// Every second range is Reserved, so each range costs a kernel mapping of its own. That is the worst case.
const region = memory.reserve(RANGES * pageSize, { name: 'many' })
for (let i = 0; i < RANGES; i += 2) region.commit(i * pageSize, pageSize)

class Reader extends MetricReader { async onForceFlush() {} async onShutdown() {} }
const reader = new Reader()
const provider = new MeterProvider({ readers: [reader] })
observeMemory(memory, { meter: provider.getMeter('cost') })
const registry = new Registry()
collectMemory(memory, { registry })

const exporters = { OpenTelemetry: () => reader.collect(), 'prom-client': () => registry.metrics() }
const spent = async (snapshot) => {
  const before = process.cpuUsage()
  for (let second = 0; second < SECONDS; second++) {
    await snapshot()
    await sleep(1000)
  }
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1e6 / SECONDS
}
const told = { ranges: memory.ranges().length, mappings: memory.mappings().own }
// The yardstick: what it takes to write all ranges as text. It is as slow as the machine is at the time.
const text = () => { for (let i = 0; i < 10; i++) JSON.stringify(memory.ranges()) }
for (const [name, collect] of Object.entries(exporters)) {
  const snapshot = async () => {
    memory.stats()
    memory.ranges()
    await collect()
  }
  const windows = []
  for (let i = 0; i < 3; i++) {
    const none = await spent(() => {})
    windows.push(((await spent(snapshot)) - none) / (((await spent(text)) - none) / 10))
  }
  told[name] = windows.sort((a, b) => a - b)
}
console.log(JSON.stringify(told))
process.exit(0)
`

describe.skipIf(process.platform !== 'linux' || !isLong)(
  'observing at one snapshot a second with 10,000 ranges',
  () => {
    it('costs no more than writing all ranges as text ten times, with OpenTelemetry and with prom-client', () => {
      const { code, stdout, stderr } = runChild(program, { from: import.meta.dirname, timeout: 110_000 })
      expect([code, stderr]).toEqual([0, ''])
      const told = JSON.parse(stdout) as Record<string, number> & Record<'OpenTelemetry' | 'prom-client', number[]>
      expect([told['ranges'], told['mappings']]).toEqual([10_000, 10_000])
      for (const exporter of ['OpenTelemetry', 'prom-client'] as const) {
        const shares = told[exporter]
        console.log(`${exporter}: ${shares.map((share) => `${share.toFixed(2)} x`).join(', ')}`)
        expect(shares[1], `${exporter}: ${shares.join(', ')}`).toBeLessThan(10)
      }
    }, 140_000)
  },
)
