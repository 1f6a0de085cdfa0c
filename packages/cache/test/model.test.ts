// Random histories on a cache beside a Map: contents and account. On the real kernel, on a WebAssembly memory, in
// memory of the engine, and on simulated kernels, which refuse each call in turn.
import { createCache } from '@memlayer/cache'
import { createMemory, type OS } from '@memlayer/core'
import { failCall } from '@memlayer/kernel'
import { createOS as createDarwin } from '@memlayer/os-darwin'
import { createOS as createEngine } from '@memlayer/os-engine'
import { createOS as createJS } from '@memlayer/os-js'
import { createOS as createLinux } from '@memlayer/os-linux'
import { createOS as createWindows } from '@memlayer/os-windows'
import { simulate } from '@memlayer/simkernel'
import { random } from '@memlayer/witness'
import { describe, expect, it } from 'vitest'
import { Model } from './model.js'

const MiB = 2 ** 20
const ENOMEM = 12
const onLinux = process.platform === 'linux'

interface Row {
  readonly name: string
  readonly os: () => OS
  readonly maximum: number
  readonly operations: number
}

const rows: readonly Row[] = [
  { name: 'the real kernel, with room for all', os: () => createLinux(), maximum: 64 * MiB, operations: 100_000 },
  { name: 'the real kernel', os: () => createLinux(), maximum: MiB, operations: 200_000 },
  { name: 'a WebAssembly memory', os: () => createJS(), maximum: MiB, operations: 60_000 },
  { name: 'memory of the engine', os: () => createEngine(), maximum: MiB, operations: 60_000 },
]

const simulated: readonly Row[] = [
  { name: 'linux', os: () => createLinux({ kernel: simulate('linux') }) },
  { name: 'linux of 64 KiB', os: () => createLinux({ kernel: simulate('linux', { pageSize: 65536 }) }) },
  { name: 'darwin', os: () => createDarwin({ kernel: simulate('darwin') }) },
  { name: 'windows', os: () => createWindows({ kernel: simulate('windows') }) },
  { name: 'wasm', os: () => createJS({ kernel: simulate('wasm') }) },
].map((row) => ({ ...row, maximum: MiB / 2, operations: 8000 }))

function run({ os, maximum, operations }: Row): Model {
  const model = new Model(random(), 3000, Infinity)
  const memory = createMemory(os())
  model.cache = createCache(memory, { maximum, now: () => model.time })
  for (let i = 0; i < operations; i++) {
    model.step()
    if (i % Math.ceil(operations / 10) === 0) model.checkAll()
  }
  model.checkAll()
  return model
}

describe('a cache beside a Map', () => {
  it.skipIf(!onLinux).each(rows)('holds the same after $operations operations on $name', (row) => {
    const { cache, refused } = run(row)
    const { evictions, expirations, hits } = cache.stats()
    expect([refused, hits > 0, expirations > 0]).toEqual([0, true, true])
    expect(evictions > 0).toBe(row.maximum === MiB)
    cache.clear()
    expect(cache.stats()).toMatchObject({ entries: 0, bytes: 0, used: 0, waste: 0 })
    cache.dispose()
    expect(cache.memory.stats().total.held).toBe(0)
  })

  it.each(simulated)('holds the same on the simulated kernel $name', (row) => {
    const { cache } = run(row)
    cache.dispose()
    cache.memory.check()
    expect(cache.memory.stats().total.held).toBe(0)
  })
})

const failing: readonly { readonly name: string; readonly os: (k: number) => { os: OS; isDone: () => boolean } }[] = [
  {
    name: 'linux',
    os: (k) => {
      const plan = failCall(simulate('linux'), k, ENOMEM)
      return { os: createLinux({ kernel: plan.kernel }), isDone: () => !plan.failed }
    },
  },
  {
    name: 'windows',
    os: (k) => {
      const plan = failCall(simulate('windows'), k, 1455)
      return { os: createWindows({ kernel: plan.kernel }), isDone: () => !plan.failed }
    },
  },
  {
    name: 'wasm',
    os: (k) => {
      const plan = failCall(simulate('wasm'), k, ENOMEM)
      return { os: createJS({ kernel: plan.kernel }), isDone: () => !plan.failed }
    },
  },
]

describe('a cache whose kernel refuses a call', () => {
  it.each(failing)('holds what it says, for each call of $name', ({ os }) => {
    let rounds = 0
    for (let k = 1; ; k++) {
      const made = os(k)
      const memory = createMemory(made.os)
      const model = new Model(random(7), 300, 20_000)
      try {
        model.cache = createCache(memory, { maximum: 2 * MiB, now: () => model.time })
      } catch (error) {
        expect(error).toMatchObject({ code: 'ERR_MEMLAYER_OUT_OF_MEMORY' })
        expect(memory.stats().total.held).toBe(0)
        continue
      }
      for (let i = 0; i < 800; i++) model.step()
      model.checkAll()
      rounds += 1
      model.cache.dispose()
      expect(memory.stats().total.held).toBe(0)
      if (made.isDone()) break
    }
    expect(rounds).toBeGreaterThan(1)
  })
})
