// Fills chunks of 64 KiB, gives every second one back, and prints by how many bytes resident memory
// fell: by memlayer, by dropping Buffers, by shrinking resizable ArrayBuffers. The way and the number
// of chunks are arguments.
import { setTimeout } from 'node:timers/promises'
import { openMemory } from '../layer.js'

const CHUNK = 65536
const [way = '', count = '0'] = process.argv.slice(2)

/** All chunks, filled. */
interface Filled {
  /** How many there are. */
  readonly chunks: number
  /** Gives every second one back. */
  giveBack(): void
  /** Has them all again, filled. */
  refill(): void
}

function fill(chunks: number): Filled {
  if (way === 'memlayer') {
    const region = openMemory().reserve(chunks * CHUNK)
    region.commit(0, chunks * CHUNK)
    const refill = (): void => {
      region.used(0, chunks * CHUNK)
      region.view(Uint8Array, 0, chunks * CHUNK).fill(1)
    }
    refill()
    const pairs = Float64Array.from({ length: chunks }, (_, i) => (i % 2 === 0 ? i * CHUNK : CHUNK))
    return { chunks: region.size / CHUNK, giveBack: () => region.unusedAll(pairs), refill }
  }
  if (way === 'resizable') {
    const buffers = Array.from({ length: chunks }, () => new ArrayBuffer(0, { maxByteLength: CHUNK }))
    const refill = (): void => {
      for (const buffer of buffers) {
        buffer.resize(CHUNK)
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
    for (let i = 0; i < chunks; i++) buffers[i] ??= Buffer.allocUnsafeSlow(CHUNK).fill(1)
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

/** What the engine gives back by itself has every chance: collections, and time. */
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
  // Three times, and the last one counts: what the engine loads and compiles for the work is there by then.
  for (let round = 0; round < 3; round++) {
    filled.refill()
    const before = await settle()
    filled.giveBack()
    fell = before - (await settle())
  }
  // Asked here, so that none of it is collected as a whole before.
  if (filled.chunks < Number(count)) throw new Error('chunks are missing')
  console.log(fell)
}

main().catch((error: unknown) => {
  console.error(error)
  process.exitCode = 1
})
