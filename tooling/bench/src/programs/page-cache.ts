// A cache of frames of 16 KiB over a file: reads at random, most of them of few frames. Then half of the frames are
// evicted. Prints what a read costs, and how much resident memory the frames take, full and after the eviction.
// The first argument is the way: memlayer, or buffer. The second is the bytes of the file, the third the reads.
import { closeSync, ftruncateSync, openSync, readSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { KiB, openMemory } from '../layer.js'

const FRAME_BYTES = 16 * KiB
const [way = '', fileBytes = '0', readCount = '0'] = process.argv.slice(2)
const pages = Number(fileBytes) / FRAME_BYTES
const reads = Number(readCount)
/** The cache has room for a quarter of the file. */
const frames = pages / 4

/** Where the frames are, and how those of an evicted half are given up. */
interface Frames {
  /** The bytes of the frame, and where in them it begins. */
  of(frame: number): readonly [Uint8Array, number]
  /** Evicts the frames from `first` on. */
  evict(first: number): void
}

function inRegion(): Frames {
  const region = openMemory().reserve(frames * FRAME_BYTES, { hugePages: 'off' })
  region.commit()
  const bytes = region.window(Uint8Array)
  return {
    of: (frame) => [bytes, frame * FRAME_BYTES],
    evict: (first) => void region.zero(first * FRAME_BYTES, (frames - first) * FRAME_BYTES),
  }
}

function inBuffers(): Frames {
  const buffers = Array.from({ length: frames }, () => Buffer.allocUnsafeSlow(FRAME_BYTES))
  return {
    of: (frame) => [buffers[frame] as Buffer, 0],
    evict: (first) => void buffers.splice(first),
  }
}

let state = 0x2545f491
function random(): number {
  state ^= state << 13
  state ^= state >>> 17
  state ^= state << 5
  return (state >>> 0) / 2 ** 32
}

async function main(): Promise<void> {
  const path = join(tmpdir(), `memlayer-page-cache-${process.pid}`)
  const file = openSync(path, 'w+')
  ftruncateSync(file, Number(fileBytes))
  const before = process.memoryUsage.rss()
  const cache = way === 'memlayer' ? inRegion() : inBuffers()
  const frameOf = new Int32Array(pages).fill(-1)
  const pageOf = new Int32Array(frames).fill(-1)
  let [hand, sum] = [0, 0]

  function read(page: number): void {
    let frame = frameOf[page] as number
    if (frame < 0) {
      frame = hand
      hand = (hand + 1) % frames
      const evicted = pageOf[frame] as number
      if (evicted >= 0) frameOf[evicted] = -1
      const [bytes, at] = cache.of(frame)
      readSync(file, bytes, at, FRAME_BYTES, page * FRAME_BYTES)
      frameOf[page] = frame
      pageOf[frame] = page
    }
    const [bytes, at] = cache.of(frame)
    for (let i = at; i < at + FRAME_BYTES; i += 512) sum += bytes[i] as number
  }

  for (let page = 0; page < frames; page++) read(page)
  const full = process.memoryUsage.rss() - before
  const start = process.cpuUsage()
  for (let i = 0; i < reads; i++) read(Math.floor(random() ** 3 * pages))
  const { user, system } = process.cpuUsage(start)
  cache.evict(frames / 2)
  globalThis.gc?.()
  await setTimeout(100)
  globalThis.gc?.()
  const evicted = process.memoryUsage.rss() - before
  closeSync(file)
  rmSync(path)
  if (sum !== 0) throw new Error('a page of an empty file is not zero')
  console.log(JSON.stringify({ nanoseconds: ((user + system) * 1000) / reads, full, evicted }))
}

main().catch((error: unknown) => {
  console.error(error)
  process.exitCode = 1
})
