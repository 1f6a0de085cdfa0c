// Tests that views can't dangle. These are the claims of os-linux's views.test.ts, without a test runner. If a view
// were still live after its pages were unmapped, the process would crash here.
import { type Memory, type Region, type ViewConstructor } from 'memlayer'
import { CHUNK_BYTES, equal, freshMemory, thrownBy, type Case } from './case.js'

const MiB = 2 ** 20

interface Numbers extends ArrayBufferView {
  length: number
  subarray(from: number, end: number): Numbers
  [index: number]: number | bigint
}

const types = [
  Int8Array,
  Uint8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
  // Engines have Float16Array since 2025. Node has it since Node 24.
  ...('Float16Array' in globalThis ? [(globalThis as { Float16Array?: unknown }).Float16Array] : []),
] as unknown as readonly ViewConstructor<Numbers>[]

type Leave = (memory: Memory, region: Region, offset: number, length: number) => void

const leaving: readonly (readonly [string, Leave])[] = [
  ['unused', (_, region, offset, length) => region.unused(offset, length)],
  ['fault', (_, region, offset, length) => region.fault(offset, length)],
  ['free', (_, region, offset, length) => region.free(offset, length)],
  ['sysUnused by address', (memory, region, offset, length) => memory.sysUnused(region.address + offset, length)],
  ['sysFree by address', (memory, region, offset, length) => memory.sysFree(region.address + offset, length, null)],
  ['unusedAll', (_, region, offset, length) => region.unusedAll([offset, length])],
  ['dispose', (_, region) => region[Symbol.dispose]()],
]

/** Runs a function with a region of 16 MiB, whose first 4 MiB are Ready, and frees the region afterwards. */
function withRegion(run: (region: Region, memory: Memory) => void): void {
  const memory = freshMemory()
  const region = memory.reserve(16 * MiB, { name: 'views' })
  region.commit(0, 4 * MiB)
  run(region, memory)
  region[Symbol.dispose]()
  memory.check()
  equal(memory.stats().total.ready, 0, 'Ready at the end')
}

function one(view: Numbers, value: 1 | 2): number | bigint {
  return view instanceof BigInt64Array || view instanceof BigUint64Array ? BigInt(value) : value
}

function leavesNothing(leave: Leave): void {
  withRegion((region, memory) => {
    const views = types.map((type) => region.view(type, 0, CHUNK_BYTES / 8))
    const data = region.view(DataView, 8, 64)
    const parts = views.map((view) => view.subarray(1, 3))
    for (const view of views) view[0] = one(view, 1)
    data.setUint8(0, 1)
    leave(memory, region, 0, CHUNK_BYTES)
    for (const part of parts) {
      part[0] = one(part, 2)
      equal([part.length, typeof part[0]], [0, 'undefined'], `a part of ${part.constructor.name}`)
    }
    for (const view of views) {
      view[0] = one(view, 2)
      equal(
        [view.length, view.byteLength, view.buffer.byteLength, typeof view[0]],
        [0, 0, 0, 'undefined'],
        view.constructor.name,
      )
    }
    equal(thrownBy(() => data.getUint8(0), 'a DataView').name, 'TypeError', 'a DataView')
    equal(thrownBy(() => data.setUint8(0, 2), 'a DataView').name, 'TypeError', 'a DataView written to')
    thrownBy(() => new Uint8Array(data.buffer, 0, 1), 'a view of what is detached')
  })
}

// Regions that can't be freed. This list keeps them alive, so that memlayer does not report them as leaks.
const kept: Region[] = []

/** Cases that use views before and after their pages leave Ready. */
export const viewCases: readonly Case[] = [
  ...leaving.map(([title, leave]): Case => ({
    title: `after ${title} views of every type can't read or write`,
    run: () => leavesNothing(leave),
  })),
  {
    title: 'a subarray, an iterator, a decoder and a promise can’t read freed pages',
    async run() {
      const memory = freshMemory()
      const region = memory.reserve(MiB)
      region.commit(0, MiB)
      const view = region.view(Uint8Array, 0, CHUNK_BYTES).fill(0x61)
      const part = view.subarray(4, 8)
      const iterator = view[Symbol.iterator]()
      const later = new Promise<number>((resolve) => setTimeout(() => resolve(view.length), 1))
      region.free(0, CHUNK_BYTES)
      equal([part[0] === undefined, new TextDecoder().decode(part), await later], [true, '', 0], 'what was kept')
      equal(thrownBy(() => iterator.next(), 'an iterator').name, 'TypeError', 'an iterator')
      thrownBy(() => Atomics.add(new Int32Array(view.buffer), 0, 1), 'Atomics')
      region[Symbol.dispose]()
      memory.check()
    },
  },
  {
    title: 'views see the writes of other views, and read and write copy bytes',
    run: () =>
      withRegion((region) => {
        const words = region.view(Uint32Array, CHUNK_BYTES, 4)
        const bytes = region.view(Uint8Array, CHUNK_BYTES, 16)
        words[1] = 0x01020304
        equal([...bytes.subarray(4, 8)], [4, 3, 2, 1], 'bytes')
        region.write(CHUNK_BYTES + 8, new Uint16Array([7, 8]))
        equal(words[2], 0x00080007, 'written')
        const copy = new Uint8Array(4)
        region.read(CHUNK_BYTES + 4, copy)
        equal([...copy], [4, 3, 2, 1], 'read')
      }),
  },
  {
    title: "a view's bytes can't be moved to another buffer, or their pages stay if the engine moves them",
    run() {
      const { port1, port2 } = new MessageChannel()
      const transfers: readonly ((buffer: ArrayBuffer) => unknown)[] = [
        (buffer) => buffer.transfer(),
        (buffer) => structuredClone(buffer, { transfer: [buffer] }),
        (buffer) => port1.postMessage(buffer, [buffer]),
      ]
      for (const transfer of transfers) {
        const memory = freshMemory()
        const region = memory.reserve(MiB)
        region.commit(0, MiB)
        const { buffer } = region.view(Uint8Array, 0, CHUNK_BYTES)
        try {
          transfer(buffer)
        } catch {
          region.free()
          equal(buffer.byteLength, 0, 'the view after free')
          continue
        }
        // The engine moved the bytes, so the pages must stay. The new buffer would read them after a free.
        for (const attempt of [
          () => region.unused(0, CHUNK_BYTES),
          () => region.free(),
          () => region.unusedAll([0, CHUNK_BYTES]),
        ]) {
          equal(thrownBy(attempt, 'giving pages back').code, 'ERR_MEMLAYER_VIEW', 'the code')
        }
        memory.check()
        kept.push(region)
      }
      port1.close()
      port2.close()
    },
  },
  {
    title: '20,000 dropped views do not keep pages',
    run: () =>
      withRegion((region) => {
        for (let i = 0; i < 20_000; i++) region.view(Uint8Array, (i % 60) * CHUNK_BYTES, CHUNK_BYTES)[0] = 1
        const last = region.view(Uint8Array, 0, CHUNK_BYTES)
        region.unused(0, 4 * MiB)
        equal(last.length, 0, 'a view')
      }),
  },
]
