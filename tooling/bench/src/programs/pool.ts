// A pool of pieces of 64 KiB that are freed and taken back at random, and filled each time. Then the load falls: nine
// tenths of them are freed. Prints what the operations cost, and what is resident beyond what is in use.
// The first argument is the way: eager (unused), idle (the scavenger gives back), or never.
// The second argument is the number of pieces, the third the number of operations.
import { setTimeout } from 'node:timers/promises'
import { KiB, openMemory } from '../layer.js'

const PIECE_BYTES = 64 * KiB
const [way = '', pieceCount = '0', operationCount = '0'] = process.argv.slice(2)
const pieces = Number(pieceCount)
const operations = Number(operationCount)
/** The loop has a turn after so many operations, so that timers run. */
const TURN = 256
/** Milliseconds after the load has fallen. */
const CALM = 5000

// xorshift32, so that every way does the same.
let state = 0x2545f491
function below(n: number): number {
  state ^= state << 13
  state ^= state >>> 17
  state ^= state << 5
  return (state >>> 0) % n
}

async function main(): Promise<void> {
  const memory = openMemory()
  const region = memory.reserve(pieces * PIECE_BYTES, { hugePages: 'off' })
  const { pageSize } = memory.os.traits
  const isUsed = new Uint8Array(pieces)
  let used = 0

  function take(i: number): void {
    if (way !== 'never') region.used(i * PIECE_BYTES, PIECE_BYTES)
    const bytes = region.view(Uint8Array, i * PIECE_BYTES, PIECE_BYTES)
    for (let at = 0; at < PIECE_BYTES; at += pageSize) bytes[at] = 1
    isUsed[i] = 1
    used += 1
  }
  function free(i: number): void {
    if (way === 'eager') region.unused(i * PIECE_BYTES, PIECE_BYTES)
    else if (way === 'idle') region.idle(i * PIECE_BYTES, PIECE_BYTES)
    isUsed[i] = 0
    used -= 1
  }

  region.commit(0, region.size)
  for (let i = 0; i < pieces; i++) take(i)
  for (let i = 0; i < pieces; i += 2) free(i)
  await setTimeout(0)
  const began = process.cpuUsage()
  for (let done = 0; done < operations; done++) {
    const i = below(pieces)
    if (isUsed[i] === 1) free(i)
    else take(i)
    if (done % TURN === TURN - 1) await new Promise((resolve) => setImmediate(resolve))
  }
  const { user, system } = process.cpuUsage(began)
  for (let i = 0; i < pieces; i++) if (isUsed[i] === 1 && i % 10 !== 0) free(i)
  await setTimeout(CALM)
  const resident = memory.residency(region.address, region.size)?.resident ?? NaN
  console.log(
    JSON.stringify({
      nanoseconds: ((user + system) * 1000) / operations,
      beyond: (resident / (used * PIECE_BYTES) - 1) * 100,
    }),
  )
}

main().catch((error: unknown) => {
  console.error(error)
  process.exitCode = 1
})
