// Residency, explain and trimHost on the real kernel. Each situation is a process of its own. explain is
// compared with /proc/self/smaps_rollup.
import { createMemory } from '@memlayer/core'
import { createOS } from '@memlayer/os-linux'
import { otherNode, runChild } from '@memlayer/witness'
import { describe, expect, it } from 'vitest'

const MiB = 2 ** 20

const prelude = `
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { createMemory } from '@memlayer/core'
import { posixKernel } from '@memlayer/ffi'
import { createOS } from '@memlayer/os-linux'
const MiB = 2 ** 20
const memory = createMemory(createOS())
const keep = []
const fill = (region, from, length) => region.view(Uint8Array, from, length).fill(1)
// The engine frees collected memory on threads of its own, some time later.
const drop = async () => {
  keep.length = 0
  for (gc(); process.memoryUsage().arrayBuffers > MiB; gc()) await sleep(50)
}
`
const epilogue = `
memory.explain()
const explanation = memory.explain()
const rollup = Number(/^Rss:\\s+(\\d+) kB/m.exec(readFileSync('/proc/self/smaps_rollup', 'latin1'))[1]) * 1024
console.log(JSON.stringify({ ...explanation, rollup, kept: keep.length }))
process.exit(0)
`

interface Told {
  readonly [part: string]: unknown
  readonly resident: number
  readonly rollup: number
  readonly unexplained: number
  readonly jsHeap: number
  readonly arrayBuffers: number
  readonly layer: number
  readonly retired: number
  readonly otherMemories: number
  readonly otherThreads: number
  readonly threadParts: readonly { readonly thread: number; readonly resident: number; readonly size: number }[]
  readonly malloc: number
  readonly mallocSlack: number
  readonly files: number
  readonly stacks: number
  readonly external: number
  readonly layerParts: readonly { category: string | null; state: string; resident: number; size: number }[]
}

/** A situation's explanation. Its parts sum to the kernel's figure. It leaves little but `foreign` unexplained. */
function explain(situation: string, foreign = 0, node: string = process.execPath): Told {
  const { code, stdout, stderr } = runChild(prelude + situation + epilogue, {
    from: import.meta.dirname,
    nodeArgs: ['--expose-gc'],
    node,
  })
  expect(stderr).toBe('')
  expect(code).toBe(0)
  const told = JSON.parse(stdout) as Told
  const parts =
    told.jsHeap +
    told.arrayBuffers +
    told.layer +
    told.retired +
    told.otherMemories +
    told.otherThreads +
    told.malloc +
    told.mallocSlack +
    told.files +
    told.stacks
  expect(parts + told.unexplained).toBe(told.resident)
  // The kernel's sum is from a moment later, and reading and printing took memory too.
  expect(Math.abs(told.rollup - told.resident)).toBeLessThan(8 * MiB)
  expect(Math.abs(told.unexplained - foreign), JSON.stringify(told)).toBeLessThan(Math.max(4 * MiB, 0.05 * told.rollup))
  return told
}

const layer = (told: Told, state: string): number =>
  told.layerParts.filter((part) => part.state === state).reduce((sum, { resident }) => sum + resident, 0)

describe.skipIf(process.platform !== 'linux')('explain leaves under 5 % or 4 MiB unexplained', () => {
  it('in an idle process', () => void explain(''))

  it('with a full heap', () => {
    expect(explain('for (let i = 0; i < 1e6; i++) keep.push({ i, a: [i] })').jsHeap).toBeGreaterThan(60 * MiB)
  })

  it('with a full heap of a V8 whose pages are not known, by what V8 says of it', () => {
    const told = explain(`
      Object.defineProperty(process, 'versions', { value: { ...process.versions, v8: '99.0.1.1-node.1' } })
      for (let i = 0; i < 1e6; i++) keep.push({ i, a: [i] })`)
    expect(told.jsHeap).toBeGreaterThan(60 * MiB)
  })

  it('with a heap that was full and has been collected', () => {
    void explain(
      'for (let i = 0; i < 1e6; i++) keep.push({ i, a: [i] }); keep.length = 0; gc(); await sleep(200); gc()',
    )
  })

  it('with Buffers in use', () => {
    expect(explain('for (let i = 0; i < 4096; i++) keep.push(Buffer.alloc(65536, 1))').arrayBuffers).toBeGreaterThan(
      0.95 * 256 * MiB,
    )
  })

  it('with Buffers dropped, whose memory is the slack of the C library', () => {
    const told = explain('for (let i = 0; i < 4096; i++) keep.push(Buffer.alloc(65536, 1)); await drop()')
    // Of 256 MiB. malloc itself gives back the end of an arena, and more with larger pages and newer versions.
    expect(told.mallocSlack).toBeGreaterThan(128 * MiB)
    expect(told.arrayBuffers).toBeLessThan(MiB)
  })

  it('with one large ArrayBuffer that is touched, and one that is not', () => {
    const told = explain('keep.push(new Uint8Array(200 * MiB).fill(1), new Uint8Array(400 * MiB))')
    expect(told.arrayBuffers).toBeGreaterThan(190 * MiB)
    expect(told.arrayBuffers).toBeLessThan(260 * MiB)
  })

  it('with a region in every state, whose parts it tells by category and state', () => {
    const told = explain(`
      const region = memory.reserve(256 * MiB, { name: 'cache' })
      keep.push(region)
      region.map(0, 128 * MiB)
      region.used(0, 96 * MiB)
      fill(region, 0, 64 * MiB)
      region.unused(0, 16 * MiB)`)
    expect(layer(told, 'Ready')).toBe(48 * MiB)
    expect(layer(told, 'Prepared')).toBe(0)
    expect(told.layerParts.find(({ state }) => state === 'Reserved')?.size).toBe(128 * MiB)
    expect(told.layerParts.find(({ state }) => state === 'Ready')?.category).toBe('cache')
  })

  it('with Prepared memory that the kernel has not taken yet', () => {
    const told = explain(`
      const lazy = createMemory(createOS({ madvDontNeed: false }))
      const region = lazy.reserve(64 * MiB, { name: 'lazy' })
      region.commit(0, 64 * MiB)
      region.view(Uint8Array, 0, 64 * MiB).fill(1)
      region.unused(0, 32 * MiB)
      keep.push(region)
      memory.explain = () => lazy.explain()`)
    expect(layer(told, 'Prepared')).toBe(32 * MiB)
    expect(layer(told, 'Ready')).toBe(32 * MiB)
  })

  it('with huge pages, and views that the engine takes for its own', () => {
    const told = explain(`
      const region = memory.reserve(128 * MiB, { name: 'huge', align: 2 * MiB })
      region.commit(0, 128 * MiB)
      region.hugePage(0, 128 * MiB)
      fill(region, 0, 128 * MiB)
      keep.push(region, region.view(Uint8Array, 0, 128 * MiB))`)
    expect(told.layer).toBe(128 * MiB)
    expect(told.external).toBeLessThan(32 * MiB)
  })

  it('with workers, whose heaps and stacks are counted too', () => {
    const told = explain(`
      const code = \`
        import { parentPort } from 'node:worker_threads'
        const keep = []
        for (let i = 0; i < 3e5; i++) keep.push({ i, a: [i] })
        parentPort.postMessage(1)
        setInterval(() => keep.length, 1e6)\`
      const workers = [1, 2].map(() => new Worker(code, { eval: true }))
      await Promise.all(workers.map((worker) => new Promise((resolve) => worker.once('message', resolve))))
      keep.push(...workers)`)
    expect(told.stacks).toBeGreaterThan(0)
    expect(told.jsHeap).toBeGreaterThan(50 * MiB)
  })

  it('with a second memory in the process, whose ranges are told as such and not as the heap', () => {
    const told = explain(`
      const other = createMemory(createOS()).reserve(64 * MiB, { name: 'other', align: MiB })
      other.commit(0, 64 * MiB)
      fill(other, 0, 64 * MiB)
      const region = memory.reserve(32 * MiB)
      region.commit(0, 32 * MiB)
      fill(region, 0, 32 * MiB)
      keep.push(region, other)`)
    expect([told.layer, told.otherMemories]).toEqual([32 * MiB, 64 * MiB])
    expect(told.jsHeap).toBeLessThan(16 * MiB)
  })
})

describe.skipIf(process.platform !== 'linux')(
  'explain tells of other threads, and leaves unexplained what no memory has, within 5 % or 4 MiB',
  () => {
    it('a memory of a worker', () => {
      const told = explain(
        `
      const code = \`
        import { createMemory } from '@memlayer/core'
        import { createOS } from '@memlayer/os-linux'
        import { parentPort } from 'node:worker_threads'
        const region = createMemory(createOS()).reserve(64 * 2 ** 20, { align: 2 ** 20 })
        region.commit(0, region.size)
        region.view(Uint8Array, 0, region.size).fill(1)
        parentPort.postMessage(1)
        setInterval(() => region.size, 1e6)\`
      const resolved = code.replace(/'(@memlayer[^']+)'/g, (_, name) => JSON.stringify(import.meta.resolve(name)))
      const worker = new Worker(new URL('data:text/javascript,' + encodeURIComponent(resolved)))
      await new Promise((resolve) => worker.once('message', resolve))
      keep.push(worker)`,
      )
      expect([told.layer, told.otherMemories]).toEqual([0, 0])
      // The OS may happen to answer aligned. Then the region is larger by the alignment.
      const { otherThreads: bytes, threadParts } = told
      expect([64 * MiB, 65 * MiB]).toContain(bytes)
      expect(threadParts).toEqual([{ thread: 1, resident: bytes, size: bytes }])
      expect(told.jsHeap).toBeLessThan(24 * MiB)
    })

    it('a mapping that foreign code has made by itself', () => {
      const told = explain(
        `
      const kernel = posixKernel()
      const v = kernel.mmap(2 ** 46 + 2 ** 45, 64 * MiB, 3, 0x22, -1, 0)
      new Uint8Array(kernel.view(v, 64 * MiB)).fill(1)
      keep.push(v)`,
        64 * MiB,
      )
      expect(told.jsHeap).toBeLessThan(16 * MiB)
    })

    it('a kernel that is simulated has no ranges in this process', () => {
      expect(
        explain(`
      const yes = () => 0
      const calls = { mmap: (v) => v || 2 ** 45, munmap: yes, mprotect: yes, madvise: yes }
      const scripted = { pageSize: 4096, hugePageSize: 0, ...calls, view: () => new ArrayBuffer(4096) }
      const made = createMemory(createOS({ kernel: scripted }))
      keep.push(made, made.sysAlloc(2 ** 40, null))`).otherMemories,
      ).toBe(0)
    })
  },
)

// The layout of V8's pages changes with its versions.
describe.skipIf(process.platform !== 'linux').each(['node22', 'node26'])('explain on %s', (alias) => {
  it("tells its heap, a worker's heap and a collected heap from a second memory", (context) => {
    const told = explain(
      `
      const other = createMemory(createOS()).reserve(64 * MiB, { name: 'other', align: MiB })
      other.commit(0, 64 * MiB)
      fill(other, 0, 64 * MiB)
      keep.push(other)
      const code = \`import('node:worker_threads').then(({ parentPort }) => {
        const keep = []
        for (let i = 0; i < 3e5; i++) keep.push({ i, a: [i] })
        parentPort.postMessage(1)
        setInterval(() => keep.length, 1e6)
      })\`
      const worker = new Worker(code, { eval: true })
      await new Promise((resolve) => worker.once('message', resolve))
      const objects = []
      for (let i = 0; i < 1e6; i++) objects.push({ i, a: [i] })
      keep.push(worker, objects.splice(0, 5e5))
      objects.length = 0
      gc(); await sleep(200); gc()`,
      0,
      otherNode(alias, import.meta.url, context),
    )
    expect(told.otherMemories).toBe(64 * MiB)
    expect(told.jsHeap).toBeGreaterThan(60 * MiB)
  })
})

describe.skipIf(process.platform !== 'linux')('residency', () => {
  const memory = createMemory(createOS())
  const page = memory.os.traits.pageSize

  it('is what was touched, page by page, without the page of zeroes that a read meets', () => {
    using region = memory.reserve(64 * page)
    region.commit(0, 64 * page)
    const bytes = region.view(Uint8Array, 0, 64 * page)
    bytes[0] = 1
    bytes[8 * page] = 1
    bytes[9 * page] = 1
    expect(bytes[20 * page]).toBe(0)
    const { resident, swapped, runs } = memory.residency(region.address, region.size) ?? {}
    expect([resident, swapped]).toEqual([3 * page, 0])
    expect(runs?.map(({ address, size }) => [(address - region.address) / page, size / page])).toEqual([
      [0, 1],
      [8, 2],
    ])
    region.unused(8 * page, page)
    expect(memory.residency(region.address + 8 * page, page)?.resident).toBe(0)
    expect(memory.residency(region.address + 1, 1)?.resident).toBe(page)
  })

  it('tells huge pages', (ctx) => {
    const huge = memory.os.traits.hugePageSize
    if (huge === 0) ctx.skip('needs transparent huge pages')
    using region = memory.reserve(4 * huge, { align: huge })
    region.commit(0, 4 * huge)
    region.hugePage(0, 4 * huge)
    region.view(Uint8Array, 0, 4 * huge).fill(1)
    expect(memory.residency(region.address, region.size)).toMatchObject({ resident: 4 * huge, huge: 4 * huge })
  })

  it('refuses what is no range, and knows nothing where the kernel does not tell', () => {
    expect(() => memory.residency(-1, page)).toThrow(/ the address is -1/)
    expect(() => memory.residency(0, Number.NaN)).toThrow(/ the size is NaN/)
    const blind = createMemory(
      createOS({ kernel: { ...(memory.os as never as { kernel: never }), pageSize: page, hugePageSize: 0 } as never }),
    )
    expect(blind.residency(0, page)).toBeNull()
    expect(blind.explain()).toBeNull()
    expect(blind.trimHost()).toBe(0)
  })
})

describe.skipIf(process.platform !== 'linux')('trimHost', () => {
  it('returns the memory of 4,096 Buffers that were dropped, and says how much', () => {
    const code = `${prelude}
      for (let i = 0; i < 4096; i++) keep.push(Buffer.alloc(65536, 1))
      const full = memory.explain().resident
      await drop()
      const dropped = memory.explain().resident
      const fell = memory.trimHost()
      console.log(JSON.stringify({ full, dropped, fell, after: memory.explain().resident }))`
    const { stdout } = runChild(code, { from: import.meta.dirname, nodeArgs: ['--expose-gc'] })
    const { dropped, fell, after } = JSON.parse(stdout) as { dropped: number; fell: number; after: number }
    expect(fell).toBeGreaterThan(128 * MiB)
    expect(Math.abs(dropped - fell - after)).toBeLessThan(16 * MiB)
  })
})
