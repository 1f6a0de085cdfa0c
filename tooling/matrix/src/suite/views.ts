// Views that can't dangle: the claims of os-linux's views.test.ts, without a test runner. Were a view still
// live after its pages were unmapped, the process would end here.
import { type Memory, type Region, type ViewConstructor } from 'memlayer'
import { CHUNK, equal, freshMemory, thrownBy, type Case } from './case.js'

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
  // Engines had it from 2025 on: V8's in Node 24.
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

/** A region of 16 MiB with its first 4 Ready; it is given back afterwards. */
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
    const views = types.map((type) => region.view(type, 0, CHUNK / 8))
    const data = region.view(DataView, 8, 64)
    const parts = views.map((view) => view.subarray(1, 3))
    for (const view of views) view[0] = one(view, 1)
    data.setUint8(0, 1)
    leave(memory, region, 0, CHUNK)
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

// Regions that can't be freed, and are not to be taken for leaks.
const kept: Region[] = []

/** Views before and after their pages leave Ready. */
export const viewCases: readonly Case[] = [
  ...leaving.map(([title, leave]): Case => ({
    title: `after ${title} nothing is left to read or to write, whatever the view's type`,
    run: () => leavesNothing(leave),
  })),
  {
    title: 'what keeps a subarray, an iterator, a decoder or a promise has nothing',
    async run() {
      const memory = freshMemory()
      const region = memory.reserve(MiB)
      region.commit(0, MiB)
      const view = region.view(Uint8Array, 0, CHUNK).fill(0x61)
      const part = view.subarray(4, 8)
      const iterator = view[Symbol.iterator]()
      const later = new Promise<number>((resolve) => setTimeout(() => resolve(view.length), 1))
      region.free(0, CHUNK)
      equal([part[0] === undefined, new TextDecoder().decode(part), await later], [true, '', 0], 'what was kept')
      equal(thrownBy(() => iterator.next(), 'an iterator').name, 'TypeError', 'an iterator')
      thrownBy(() => Atomics.add(new Int32Array(view.buffer), 0, 1), 'Atomics')
      region[Symbol.dispose]()
      memory.check()
    },
  },
  {
    title: 'views see what each other writes, and what read and write copy',
    run: () =>
      withRegion((region) => {
        const words = region.view(Uint32Array, CHUNK, 4)
        const bytes = region.view(Uint8Array, CHUNK, 16)
        words[1] = 0x01020304
        equal([...bytes.subarray(4, 8)], [4, 3, 2, 1], 'bytes')
        region.write(CHUNK + 8, new Uint16Array([7, 8]))
        equal(words[2], 0x00080007, 'written')
        const copy = new Uint8Array(4)
        region.read(CHUNK + 4, copy)
        equal([...copy], [4, 3, 2, 1], 'read')
      }),
  },
  {
    title: "a view's bytes can't be moved to another buffer, or where the engine moves them, their pages stay",
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
        const { buffer } = region.view(Uint8Array, 0, CHUNK)
        try {
          transfer(buffer)
        } catch {
          region.free()
          equal(buffer.byteLength, 0, 'the view after free')
          continue
        }
        // A copy of what the region is gone with would be read after free.
        for (const attempt of [
          () => region.unused(0, CHUNK),
          () => region.free(),
          () => region.unusedAll([0, CHUNK]),
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
    title: '20,000 views that were dropped keep no page',
    run: () =>
      withRegion((region) => {
        for (let i = 0; i < 20_000; i++) region.view(Uint8Array, (i % 60) * CHUNK, CHUNK)[0] = 1
        const last = region.view(Uint8Array, 0, CHUNK)
        region.unused(0, 4 * MiB)
        equal(last.length, 0, 'a view')
      }),
  },
]
