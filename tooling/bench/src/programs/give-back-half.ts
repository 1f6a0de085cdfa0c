// Fills chunks of 64 KiB, gives every second chunk back, and prints by how many bytes resident memory fell.
// The first argument is the way: memlayer, dropped Buffers, or shrunk resizable ArrayBuffers.
// The second argument is the number of chunks.
import { setTimeout } from 'node:timers/promises'
import { openMemory } from '../layer.js'

const CHUNK_BYTES = 65536
const [way = '', count = '0'] = process.argv.slice(2)

/** All chunks, after a fill. */
interface Filled {
  /** The number of chunks. */
  readonly chunks: number
  /** Gives every second chunk back. */
  giveBack(): void
  /** Fills all chunks again. */
  refill(): void
}

function fill(chunks: number): Filled {
  if (way === 'memlayer') {
    const region = openMemory().reserve(chunks * CHUNK_BYTES)
    region.commit(0, chunks * CHUNK_BYTES)
    const refill = (): void => {
      region.used(0, chunks * CHUNK_BYTES)
      region.view(Uint8Array, 0, chunks * CHUNK_BYTES).fill(1)
    }
    refill()
    const pairs = Float64Array.from({ length: chunks }, (_, i) => (i % 2 === 0 ? i * CHUNK_BYTES : CHUNK_BYTES))
    return { chunks: region.size / CHUNK_BYTES, giveBack: () => region.unusedAll(pairs), refill }
  }
  if (way === 'resizable') {
    const buffers = Array.from({ length: chunks }, () => new ArrayBuffer(0, { maxByteLength: CHUNK_BYTES }))
    const refill = (): void => {
      for (const buffer of buffers) {
        buffer.resize(CHUNK_BYTES)
        new Uint8Array(buffer).fill(1)
      }
    }
    refill()
    return {
      get chunks(): number {
        return buffers.length
      },
      giveBack: () => buffers.forEach((buffer, i) => i % 2 === 0 && buffer.resize(0)),
      refill,
    }
  }
  const buffers: (Buffer | null)[] = Array.from({ length: chunks }, () => null)
  const refill = (): void => {
    for (let i = 0; i < chunks; i++) buffers[i] ??= Buffer.allocUnsafeSlow(CHUNK_BYTES).fill(1)
  }
  refill()
  return {
    get chunks(): number {
      return buffers.length
    },
    giveBack: () => buffers.forEach((_, i) => i % 2 === 0 && (buffers[i] = null)),
    refill,
  }
}

/** Collects garbage and waits, so that the engine can give memory back. Then returns the resident bytes. */
async function settle(): Promise<number> {
  for (let i = 0; i < 4; i++) {
    globalThis.gc?.()
    await setTimeout(20)
  }
  return process.memoryUsage.rss()
}

async function main(): Promise<void> {
  const filled = fill(Number(count))
  let fell = 0
  // Run three rounds and count the last. By then the engine has loaded and compiled all code of the work.
  for (let round = 0; round < 3; round++) {
    filled.refill()
    const before = await settle()
    filled.giveBack()
    fell = before - (await settle())
  }
  // Read `filled` after the last measurement. Otherwise the engine could collect it earlier.
  if (filled.chunks < Number(count))
    throw new Error(`only ${filled.chunks} of ${count} chunks are left: keep all of them alive until the end`)
  console.log(fell)
}

main().catch((error: unknown) => {
  console.error(error)
  process.exitCode = 1
})
