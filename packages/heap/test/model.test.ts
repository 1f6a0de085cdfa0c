// Random histories on a heap beside a plain shadow: contents, overlap, and the account. On the real kernel, on a
// WebAssembly memory, and on simulated kernels.
import { createMemory, type OS } from '@memlayer/core'
import { createHeap, type HeapOptions } from '@memlayer/heap'
import { createOS as createEngine } from '@memlayer/os-engine'
import { createOS as createDarwin } from '@memlayer/os-darwin'
import { createOS as createJS } from '@memlayer/os-js'
import { createOS as createLinux } from '@memlayer/os-linux'
import { createOS as createPlan9 } from '@memlayer/os-plan9'
import { createOS as createWindows } from '@memlayer/os-windows'
import { failCall } from '@memlayer/kernel'
import { simulate } from '@memlayer/simkernel'
import { isLong, random } from '@memlayer/witness'
import { describe, expect, it } from 'vitest'
import { Model } from './model.js'

const MiB = 2 ** 20
const ENOMEM = 12

interface Row {
  readonly name: string
  readonly os: () => OS
  readonly options: HeapOptions
  readonly operations: number
}

const onLinux = process.platform === 'linux'
const rows: readonly Row[] = [
  {
    name: 'the real kernel',
    os: () => createLinux(),
    options: { maximum: 64 * MiB },
    operations: isLong ? 1_000_000 : 100_000,
  },
  {
    name: 'the real kernel, growing',
    os: () => createLinux(),
    options: { maximum: 64 * MiB, grow: true },
    operations: isLong ? 1_000_000 : 50_000,
  },
  {
    name: 'a WebAssembly memory',
    os: () => createJS(),
    options: { maximum: 64 * MiB },
    operations: isLong ? 1_000_000 : 50_000,
  },
  {
    name: 'the real kernel, checked',
    os: () => createLinux(),
    options: { maximum: 128 * MiB, check: { places: false, quarantine: 4 * MiB } },
    operations: isLong ? 1_000_000 : 25_000,
  },
  {
    name: 'memory of the engine',
    os: () => createEngine(),
    options: { maximum: 64 * MiB },
    operations: isLong ? 1_000_000 : 25_000,
  },
]

const simulated: readonly Row[] = [
  { name: 'linux', os: () => createLinux({ kernel: simulate('linux') }) },
  { name: 'linux of 64 KiB', os: () => createLinux({ kernel: simulate('linux', { pageSize: 65536 }) }) },
  { name: 'darwin', os: () => createDarwin({ kernel: simulate('darwin') }) },
  { name: 'windows', os: () => createWindows({ kernel: simulate('windows') }) },
  { name: 'plan9', os: () => createPlan9({ kernel: simulate('plan9') }) },
  { name: 'wasm', os: () => createJS({ kernel: simulate('wasm') }) },
].map((row) => ({ ...row, options: { maximum: 16 * MiB }, operations: 20_000 }))

function run({ os, options, operations }: Row): Model {
  const heap = createHeap(createMemory(os()), options)
  const model = new Model(heap, random(), 8000)
  for (let i = 0; i < operations; i++) {
    model.step()
    if (i % Math.ceil(operations / 20) === 0) model.checkAll()
  }
  model.checkAll()
  return model
}

describe('a heap beside a plain shadow', () => {
  it.skipIf(!onLinux).each(rows)('is the same after $operations operations on $name', (row) => {
    const model = run(row)
    const { heap } = model
    model.drain()
    heap.scavenge()
    expect(heap.stats()).toMatchObject({ used: 0, live: 0, objects: 0, spans: 0, waste: 0 })
    if (heap.memory.os.traits.unusedReturnsMemory) expect(heap.stats().retained).toBe(0)
    heap.destroy()
    expect(heap.memory.stats().total.held).toBe(0)
  })

  it.each(simulated)('is the same on the simulated kernel $name', (row) => {
    const { heap } = run(row)
    heap.destroy()
    heap.memory.check()
    expect(heap.memory.stats().total.held).toBe(0)
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

describe('a heap whose kernel refuses a call', () => {
  it.each(failing)('is as before the call, for each call of $name', ({ os }) => {
    const refusals: number[] = []
    for (let k = 1; ; k++) {
      const made = os(k)
      const memory = createMemory(made.os)
      let heap
      try {
        heap = createHeap(memory, { maximum: 8 * MiB, grow: true })
      } catch (error) {
        expect(error).toMatchObject({ code: 'ERR_MEMLAYER_OUT_OF_MEMORY' })
        expect(memory.stats().total.held).toBe(0)
        continue
      }
      const model = new Model(heap, random(7), 400, 100_000)
      for (let i = 0; i < 1500; i++) model.step()
      model.checkAll()
      refusals.push(model.refused)
      model.drain()
      heap.destroy()
      expect(memory.stats().total.held).toBe(0)
      if (made.isDone()) break
    }
    expect(refusals.length).toBeGreaterThan(1)
  })
})
