// Tests claims against the real kernel: the layer's account against /proc/self/smaps, errno, and reads of files into
// pages. These cases run on Linux only, on runtimes with foreign calls.
import { randomFill } from 'node:crypto'
import { closeSync, openSync, read as readFile, readSync } from 'node:fs'
import { posixKernel } from '@memlayer/ffi'
import { mappingsIn } from '@memlayer/witness'
import { CHUNK_BYTES, equal, freshMemory, thrownBy, type Case } from './case.js'

const MiB = 2 ** 20

/** Cases with real pages. */
export const nativeCases: readonly Case[] = [
  {
    title: "the kernel's own account of a range agrees after every step",
    run() {
      const memory = freshMemory()
      const region = memory.reserve(64 * MiB)
      const [v, n] = [region.address, region.size]
      const seen = (): number[] => [bytesIn('---p', v, n), bytesIn('rw-p', v, n), resident(v, n)]
      equal(seen(), [64 * MiB, 0, 0], 'reserved')
      region.commit(0, 8 * MiB)
      equal(seen(), [56 * MiB, 8 * MiB, 0], 'committed')
      region.view(Uint8Array, 0, 8 * MiB).fill(1)
      equal(seen(), [56 * MiB, 8 * MiB, 8 * MiB], 'filled')
      region.unused(0, 6 * MiB)
      equal(seen(), [56 * MiB, 8 * MiB, 2 * MiB], 'given back')
      region.fault(7 * MiB, MiB)
      equal(seen(), [57 * MiB, 7 * MiB, MiB], 'faulted')
      // After this, another mapping may use these addresses.
      region.free()
      memory.check()
    },
  },
  {
    title: 'a view of freed pages stays empty after a garbage collection and a new mapping at its address',
    async run() {
      const memory = freshMemory()
      const stale: Uint8Array[] = []
      for (let round = 0; round < 20; round++) {
        const region = memory.reserve(4 * MiB)
        region.commit(0, 4 * MiB)
        stale.push(region.view(Uint8Array, 0, 4 * MiB), region.view(Uint8Array, MiB, CHUNK_BYTES))
        region.free()
        const litter = Array.from({ length: 20 }, () => new ArrayBuffer(MiB))
        equal(litter.length, 20, 'litter')
        await new Promise((resolve) => setTimeout(resolve, 1))
      }
      ;(globalThis as { gc?: () => void; Bun?: { gc(force: boolean): void } }).Bun?.gc(true)
      equal(
        stale.map((view) => view.length + (view[0] ?? 0)).filter((sum) => sum !== 0),
        [],
        'stale views',
      )
    },
  },
  {
    title: 'a read of a file does not write into pages that were given back',
    run() {
      const memory = freshMemory()
      const region = memory.reserve(MiB)
      region.commit(0, MiB)
      const target = region.view(Uint8Array, 0, CHUNK_BYTES)
      const file = openSync('/proc/self/exe', 'r')
      equal([readSync(file, target, 0, 64, 0), target[1]], [64, 0x45], 'while it is Ready')
      region.unused(0, CHUNK_BYTES)
      let read = 0
      try {
        // Node throws, and other runtimes read 0 bytes. The case tests only that no byte arrives in the page.
        read = readSync(file, target, 0, 64, 0)
      } catch {
        read = 0
      }
      closeSync(file)
      equal([read, bytesThere(region.address)], [0, 0], 'after unused')
      region.free()
    },
  },
  {
    title: 'a Buffer over a view is empty after its pages are given back',
    run() {
      const memory = freshMemory()
      const region = memory.reserve(MiB)
      region.commit(0, MiB)
      const view = region.view(Uint8Array, 0, CHUNK_BYTES).fill(0x61)
      const kept = [Buffer.from(view.buffer), Buffer.from(view.buffer, 16, 32), Buffer.from(view.buffer).subarray(1, 5)]
      equal(
        kept.map((buffer) => buffer.subarray(0, 4).toString()),
        ['aaaa', 'aaaa', 'aaaa'],
        'while it is Ready',
      )
      region.unused(0, CHUNK_BYTES)
      // On some runtimes an empty Buffer throws, on others it does nothing. It never reaches the pages.
      for (const buffer of kept)
        for (const use of [() => buffer.fill(1), () => buffer.write('bb'), () => (buffer[0] = 2)]) tolerant(use)
      equal(
        kept.map((buffer) => [buffer.length, buffer.toString(), typeof buffer[0]]),
        kept.map(() => [0, '', 'undefined']),
        'after unused',
      )
      equal(bytesThere(region.address), 0, 'the page')
      region.free()
    },
  },
  {
    title: 'while pages are held, asynchronous calls on their bytes succeed, and the pages stay',
    async run() {
      const memory = freshMemory()
      const region = memory.reserve(8 * MiB)
      region.commit(0, 8 * MiB)
      const file = openSync('/proc/self/exe', 'r')
      for (const call of [filled, (view: Uint8Array) => readInto(file, view)]) {
        const hold = region.hold()
        const ended = call(region.view(Uint8Array, 0, 8 * MiB))
        for (const take of [
          () => region.unused(0, CHUNK_BYTES),
          () => region.fault(0, CHUNK_BYTES),
          () => region.free(),
        ]) {
          equal(thrownBy(take, 'taking what is held').code, 'ERR_MEMLAYER_SHARED', 'the code')
        }
        equal(await ended, true, 'the bytes')
        hold.release()
        region.unused(0, MiB)
        region.used(0, MiB)
      }
      closeSync(file)
      region.free()
      memory.check()
    },
  },
  {
    title: 'errno is right 20,000 times between allocations',
    run() {
      const kernel = posixKernel()
      const [ENOMEM, EINVAL] = [12, 22]
      const failing = [
        [() => kernel.mmap(0, 0, 3, 0x22, -1, 0), EINVAL],
        [() => kernel.mmap(0, 2 ** 47, 0, 0x22, -1, 0), ENOMEM],
        [() => kernel.munmap(1, CHUNK_BYTES), EINVAL],
        [() => kernel.madvise(CHUNK_BYTES, CHUNK_BYTES, 4242), EINVAL],
      ] as const
      const wrong: number[] = []
      let kept: unknown[] = []
      for (let i = 0; i < 20_000; i++) {
        kept.push({ i, text: String(i) })
        if (i % 500 === 0) kept = [new ArrayBuffer(4 * MiB)]
        const [call, errno] = failing[i % 4] as (typeof failing)[number]
        const answer = call()
        if (answer !== -errno) wrong.push(answer)
      }
      equal(wrong, [], 'wrong answers')
    },
  },
]

function tolerant(use: () => unknown): void {
  try {
    use()
  } catch {
    // The case tests only that the call has no effect.
  }
}

/** Fills a view with random bytes, and returns whether they arrived. */
function filled(view: Uint8Array): Promise<boolean> {
  return new Promise((resolve, reject) => {
    // A view that was detached meanwhile has no bytes, and throws where it is asked for them.
    const arrived = (): boolean => view.byteLength > 0 && view.some((byte) => byte !== 0)
    randomFill(view, (error) => (error === null ? resolve(arrived()) : reject(error)))
  })
}

/** Reads a file into a view, and returns whether its first bytes arrived. */
function readInto(file: number, view: Uint8Array): Promise<boolean> {
  return new Promise((resolve, reject) => {
    readFile(file, view, 0, view.length, 0, (error, bytes) =>
      error === null ? resolve(bytes > 0 && view[1] === 0x45) : reject(error),
    )
  })
}

function bytesThere(v: number): number {
  const byte = new Uint8Array(1)
  posixKernel().read?.(v, byte)
  return byte[0] ?? -1
}

function bytesIn(permissions: string, v: number, n: number): number {
  return mappingsIn(v, n)
    .filter((mapping) => mapping.permissions === permissions)
    .reduce((sum, { start, end }) => sum + Math.min(end, v + n) - Math.max(start, v), 0)
}

function resident(v: number, n: number): number {
  return mappingsIn(v, n).reduce((sum, { rss }) => sum + rss, 0)
}
