// The contents of memory: bytes stay in place, and the traits say when they are lost.
import { detachView, viewOffset } from '@memlayer/kernel'
import { claimBytes, claimBytesAmong, fill, withBytes } from '../bytes.js'
import { claim, rangeText, same } from '../claim.js'
import { absent, notRun, type Definition, type World } from '../definition.js'
import { refuseWhen } from '../intercept.js'
import { ready } from './transitions.js'

/** A kernel may end a late access with a signal, so a view has to end before the kernel takes its pages. */
function detached(world: World): void {
  let kept: Uint8Array | null = null
  let start = NaN
  let isLate = false
  const wrap = (kernel: object): object =>
    refuseWhen(kernel, (_fn, [v]) => {
      if (v === start && (kept?.byteLength ?? 0) > 0) isLate = true
      return null
    })
  world.play(
    (stage) => {
      const { memory, os, unit, witness } = stage
      for (const units of [4, 17, 65]) {
        const n = units * unit
        const v = ready(stage, units, 7)
        for (const op of ['sysUnused', 'sysFault'] as const) {
          const view = memory.view(Uint8Array, v, n)
          view.fill(7)
          start = v
          if (os.traits.ends !== 'zeroed') kept = view
          memory[op](v, n)
          kept = null
          const what = `a view of ${n} bytes`
          claim(!isLate, `${what} was there when ${op} asked the kernel`)
          const mayTouch = os.traits.ends !== 'zeroed' || witness.faults?.(v, 'read') !== true
          claim(mayTouch, `the trait ends says zeroed, and a touch of ${what} faults after ${op}`)
          const stale = os.traits.ends === 'zeroed' ? 0 : undefined
          for (const at of [0, n - 1]) same(view[at], stale, `byte ${at} of ${what} after ${op}`)
          if (op === 'sysFault') memory.sysMap(v, n, null)
          memory.sysUsed(v, n)
          same(memory.view(Uint8Array, v, n).length, n, 'the length of a new view')
        }
      }
    },
    { wrap },
  )
}

export const contentsCases: readonly Definition[] = [
  {
    id: 'contents/every-page',
    title: 'every page has memory of its own: each returns the number that was written to it',
    show: (world) =>
      world.play(({ memory, os, pageSize, unit }) => {
        const n = 64 * unit
        const v = memory.sysAlloc(n, null)
        const w = memory.sysAlloc(n, null)
        for (let at = 0; at < n; at += pageSize) {
          withBytes(os, v + at, 8, (bytes) => new DataView(bytes.buffer, bytes.byteOffset, 8).setFloat64(0, v + at))
          withBytes(os, w + at, 8, (bytes) => new DataView(bytes.buffer, bytes.byteOffset, 8).setFloat64(0, w + at))
        }
        for (const base of [v, w]) {
          withBytes(os, base, n, (bytes) => {
            const words = new DataView(bytes.buffer, bytes.byteOffset, n)
            for (let at = 0; at < n; at += pageSize)
              same(words.getFloat64(at), base + at, `the number of the page at offset ${at}`)
          })
        }
      }),
  },
  {
    id: 'contents/neighbours',
    title: 'no transition changes a byte beside its range',
    show: (world) =>
      world.play((stage) => {
        const { memory, os, unit, pageSize } = stage
        const v = ready(stage, 12, 8)
        const from = v + 4 * unit
        const n = 3 * unit + pageSize
        const around = (after: string): void => {
          claimBytes(os, v, 4 * unit, 8, `what lies before the range, after ${after}`)
          claimBytes(os, from + n, v + 12 * unit - from - n, 8, `what lies after the range, after ${after}`)
        }
        memory.sysHugePage(from, n)
        around('sysHugePage')
        memory.sysUnused(from, n)
        around('sysUnused')
        memory.sysUsed(from, n)
        around('sysUsed')
        memory.sysFault(from, n)
        around('sysFault')
        memory.sysMap(from, n, null)
        around('sysMap')
        memory.sysUsed(from, n)
        around('the second sysUsed')
      }),
  },
  {
    id: 'unused/drops-contents',
    title: 'sysUnused: after sysUsed a page reads zero if the trait says so, else zero or its old contents',
    show: (world) => {
      let drops = true
      // Seeds decide which pages the simulated kernel takes.
      for (let seed = 1; seed <= 4; seed++) {
        world.play(
          (stage) => {
            const { memory, os, unit } = stage
            drops = os.traits.unusedDropsContents
            const v = ready(stage, 12, 8)
            memory.sysUnused(v + unit, 8 * unit)
            for (let i = 0; i < 4; i++) memory.sysHugePage(v, 12 * unit)
            memory.sysUsed(v + unit, 8 * unit)
            claimBytesAmong(os, v + unit, 8 * unit, drops ? [0] : [0, 8], 'memory that is used again')
            claimBytes(os, v, unit, 8, 'what was never given back')
            claimBytes(os, v + 9 * unit, 3 * unit, 8, 'what was never given back')
          },
          { seed: world.seed + seed },
        )
      }
      return drops ? undefined : absent('unusedDropsContents')
    },
  },
  {
    id: 'unused/returns-memory',
    title: 'sysUnused: gives memory back to the operating system, if the trait says so',
    show: (world) =>
      world.play((stage) => {
        const { memory, os, unit, witness } = stage
        if (witness.resident === undefined) return notRun('needs a witness that tells what is resident')
        const n = 8 * unit
        const v = ready(stage, 8, 8)
        same(witness.resident(v, n), n, 'resident bytes of memory that was written')
        memory.sysUnused(v, n)
        witness.takeForfeit?.()
        const kept = witness.resident(v, n)
        if (
          os.traits.unusedReturnsMemory &&
          kept > 0 &&
          !os.traits.unusedDropsContents &&
          witness.takeForfeit === undefined
        ) {
          return notRun('this kernel takes such pages only when it is short of memory')
        }
        same(kept, os.traits.unusedReturnsMemory ? 0 : n, 'resident bytes after sysUnused')
        return os.traits.unusedReturnsMemory ? undefined : absent('unusedReturnsMemory')
      }),
  },
  {
    id: 'contents/view-range',
    title: 'view: shows exactly the bytes of the range, or the whole memory with the range in it',
    show: (world) =>
      world.play((stage) => {
        const { os, unit } = stage
        const v = ready(stage, 8, 1)
        fill(os, v + 3 * unit, unit, 2)
        claimBytes(os, v + 3 * unit, unit, 2, 'a view of the middle')
        claimBytes(os, v, 3 * unit, 1, 'a view of what is before it')
        claimBytes(os, v + 4 * unit, 4 * unit, 1, 'a view of what is after it')
        const buffer = os.view(v, unit)
        claim(
          buffer instanceof ArrayBuffer || Object.prototype.toString.call(buffer) === '[object SharedArrayBuffer]',
          'view does not return an ArrayBuffer',
        )
        claim(
          buffer.byteLength === unit || buffer.byteLength >= viewOffset(buffer, v, unit) + unit,
          `a view of ${unit} bytes has ${buffer.byteLength}`,
        )
      }),
  },
  {
    id: 'contents/views-together',
    title: 'view: shows the range that is asked for while views of other lengths and places live',
    show: (world) =>
      world.play((stage) => {
        const { os, unit, pageSize } = stage
        const v = ready(stage, 8, 1)
        fill(os, v + 4 * unit, 4 * unit, 2)
        const kept: ArrayBuffer[] = []
        for (const [from, n] of [
          [0, unit],
          [0, 8 * unit],
          [0, 2 * unit],
          [4 * unit, unit],
          [4 * unit, 4 * unit],
          [0, pageSize],
        ] as const) {
          const buffer = os.view(v + from, n)
          kept.push(buffer)
          const what = `os.view of ${rangeText(v + from, n)} beside ${kept.length - 1} others`
          const offset = viewOffset(buffer, v + from, n)
          claim(buffer.byteLength >= offset + n, `${what} has ${buffer.byteLength} bytes, expected ${offset + n}`)
          const bytes = new Uint8Array(buffer, offset, n)
          same(bytes[0], from === 0 ? 1 : 2, `the first byte of ${what}`)
          same(bytes[n - 1], from + n > 4 * unit ? 2 : 1, `the last byte of ${what}`)
        }
        for (const buffer of kept) if (os.detach === undefined) detachView(buffer)
        const [buffer] = kept
        if (os.detach !== undefined && buffer !== undefined && buffer.byteLength > 0) os.detach(buffer)
      }),
  },
  {
    id: 'contents/detached',
    title: 'view: before sysUnused asks the kernel, an old view reads undefined, or zero where the trait ends says so',
    show: detached,
  },
  {
    id: 'contents/detach-takes-nothing',
    title: 'view: when views end, the kernel holds what it held, however often they end',
    show: (world) =>
      world.play((stage) => {
        const { memory, unit, witness } = stage
        if (witness.total === undefined) return notRun('needs a witness that tells all that the kernel holds')
        const v = ready(stage, 4, 7)
        const before = witness.total()
        for (let times = 1; times <= 40; times++) {
          memory.view(Uint8Array, v, unit)
          memory.sysUnused(v, unit)
          memory.sysUsed(v, unit)
          same(
            witness.total() - before,
            0,
            `the bytes that the kernel holds more after views have ended ${times} times`,
          )
        }
        return undefined
      }),
  },
  {
    id: 'contents/zero',
    title: 'region.zero: the range reads zero, its neighbors keep their bytes, and the pages stay usable',
    show: (world) => {
      for (let seed = 1; seed <= 4; seed++) {
        world.play(
          ({ memory, os, unit, pageSize }) => {
            const region = memory.reserve(12 * unit)
            region.commit()
            const v = region.address
            fill(os, v, 12 * unit, 8)
            const from = 2 * unit
            const n = 5 * unit + pageSize
            region.zero(from, n)
            claimBytes(os, v + from, n, 0, 'memory that was zeroed')
            claimBytes(os, v, from, 8, 'what lies before it')
            claimBytes(os, v + from + n, 12 * unit - from - n, 8, 'what lies after it')
            fill(os, v + from, n, 5)
            for (let i = 0; i < 4; i++) memory.sysHugePage(v, 12 * unit)
            claimBytes(os, v + from, n, 5, 'what was written after it')
            region.free()
          },
          { seed: world.seed + seed },
        )
      }
    },
  },
  {
    id: 'contents/copies',
    title: 'host.read and host.write: copy the bytes that a view shows, if the backend has them',
    show: (world) =>
      world.play((stage) => {
        const { os, unit, pageSize } = stage
        const v = ready(stage, 4, 3)
        const { read, write } = os.host ?? {}
        if (read === undefined && write === undefined) return absent('host.read, host.write')
        const source = Uint8Array.from({ length: pageSize }, (_, i) => (i * 7 + 1) & 0xff)
        os.host?.write?.(v + unit, source)
        if (write !== undefined)
          withBytes(os, v + unit, pageSize, (bytes) => same(bytes.join(), source.join(), 'what was written, seen'))
        claimBytes(os, v, unit, 3, 'what lies before what was written')
        const target = new Uint8Array(unit + pageSize)
        os.host?.read?.(v, target)
        if (read !== undefined)
          withBytes(os, v, target.length, (bytes) => same(target.join(), bytes.join(), 'what was read'))
        return undefined
      }),
  },
  {
    id: 'contents/zero-after-free',
    title: 'memory that was written and freed reads zero when it is handed out again',
    show: (world) =>
      world.play(({ memory, os, unit }) => {
        for (let round = 0; round < 12; round++) {
          const n = (1 + (round % 4)) * unit
          const taken = [memory.sysAlloc(n, null), memory.sysReserve(null, n)]
          memory.sysMap(taken[1] as number, n, null)
          memory.sysUsed(taken[1] as number, n)
          for (const v of taken) {
            claimBytes(os, v, n, 0, `round ${round}: memory that was handed out`)
            fill(os, v, n, 0xff)
          }
          for (const v of taken) memory.sysFree(v, n, null)
        }
      }),
  },
]
