// The functions that run in pages, in workers and on other engines. Each returns facts, which the tests judge. The
// module is bundled for a browser, so it must not use a Node API.
import { createMemory, OutOfMemoryError, viewOffset, type Memory } from '@memlayer/core'
import { createOS, wasmKernel, type WasmKernelOptions } from '@memlayer/os-js'
export { liveHistory } from '../history/history.js'

const PAGE = 65536
const MiB = 2 ** 20
const GiB = 2 ** 30

function bytesOf(memory: Memory, v: number, n: number): Uint8Array {
  const buffer = memory.os.view(v, n)
  return new Uint8Array(buffer, viewOffset(buffer, v, n), n)
}

function count(bytes: Uint8Array, byte: number): number {
  return bytes.reduce((sum, one) => sum + (one === byte ? 1 : 0), 0)
}

/** Makes every transition once. Returns the account on the way, and how many bytes had the expected value. */
export function life(options: WasmKernelOptions): unknown {
  const memory = createMemory(createOS({ kernel: wasmKernel(options) }))
  const stat = memory.stat('life')
  const v = memory.sysReserve(null, 16 * MiB)
  memory.sysMap(v, 8 * MiB, stat)
  memory.sysUsed(v, 4 * MiB)
  const zeroes = count(bytesOf(memory, v, 4 * MiB), 0)
  bytesOf(memory, v, 4 * MiB).fill(7)
  memory.sysUnused(v + MiB, MiB)
  const { reserved, prepared, ready } = memory.stats().total
  memory.sysUsed(v + MiB, MiB)
  memory.sysHugePage(v, 4 * MiB)
  memory.sysFault(v, MiB)
  const sevens = count(bytesOf(memory, v + 2 * MiB, 2 * MiB), 7)
  memory.sysFree(v, 16 * MiB, stat)
  memory.check()
  return { zeroes, reserved, prepared, ready, sevens, held: memory.stats().total.held, name: memory.os.name }
}

/** Grows to 1 GiB in sixteen steps, gives half of it back and reserves it again. */
export function gigabyte(): unknown {
  const kernel = wasmKernel()
  const os = createOS({ kernel })
  const memory = createMemory(os)
  const stat = memory.stat('gigabyte')
  let told = 0
  os.onDetach(() => (told += 1))
  const piece = 64 * MiB
  const pieces: number[] = []
  const views: Uint8Array[] = []
  for (let i = 0; i < 16; i++) {
    const v = memory.sysAlloc(piece, stat)
    const bytes = bytesOf(memory, v, piece)
    for (let at = 0; at < piece; at += PAGE) bytes[at] = i + 1
    pieces.push(v)
    views.push(bytes)
  }
  const grownPages = kernel.currentMemory()
  const detached = views.filter((view) => view.length === 0 && view[0] === undefined).length
  const kept = pieces.filter((v, i) => bytesOf(memory, v, piece)[piece - PAGE] === i + 1).length
  const before = bytesOf(memory, pieces[0] as number, piece)
  for (let i = 1; i < 16; i += 2) memory.sysFree(pieces[i] as number, piece, stat)
  const again = Array.from({ length: 8 }, () => memory.sysAlloc(piece, stat))
  const zeroed = again.filter(
    (v) => count(bytesOf(memory, v, PAGE), 0) === PAGE && bytesOf(memory, v, piece)[piece - PAGE] === 0,
  ).length
  const untouched = pieces.filter((v, i) => i % 2 === 0 && bytesOf(memory, v, piece)[piece - PAGE] === i + 1).length
  memory.check()
  return {
    told,
    detached,
    kept,
    reused: again.every((v, i) => v === pieces[2 * i + 1]),
    zeroed,
    untouched,
    grownMiB: (grownPages * PAGE - (pieces[0] as number)) / MiB,
    grewAgain: kernel.currentMemory() !== grownPages,
    stillThere: before.length === piece,
    readyMiB: memory.stats().total.ready / MiB,
  }
}

/** Asks for too much, at a maximum and at the end of 32 bits, and then for the rest. */
export function limits(): unknown {
  const small = createMemory(createOS({ kernel: wasmKernel({ maximum: 64 }) }))
  const wide = createMemory(createOS())
  return {
    maximum: hintOf(() => small.sysReserve(null, 64 * PAGE)),
    afterwards: small.sysReserve(null, 63 * PAGE),
    fourGiB: hintOf(() => wide.sysReserve(null, 4 * GiB)),
    address: hintOf(() => wide.sysReserve(PAGE, PAGE)),
    refusals: [small, wide].map((memory) => memory.stats().total.refusals),
  }
}

function hintOf(call: () => unknown): string {
  try {
    return `no error: ${String(call())}`
  } catch (error) {
    return error instanceof OutOfMemoryError ? (error.hint ?? 'no hint') : `another error: ${String(error)}`
  }
}

/** Reaches addresses beyond 32 bits. */
export function beyond(): unknown {
  const memory = createMemory(createOS({ kernel: wasmKernel({ address: 'i64' }) }))
  const v = memory.sysReserve(null, 5 * GiB)
  const after = memory.sysAlloc(PAGE, null)
  bytesOf(memory, after, PAGE)[PAGE - 1] = 9
  return { distanceGiB: (after - v) / GiB, byte: bytesOf(memory, after, PAGE)[PAGE - 1] }
}

/** The page owns a shared memory. A worker adds to a number in it a thousand times, while the memory grows. */
export async function sharedWithWorker(): Promise<unknown> {
  const wasm = new WebAssembly.Memory({ initial: 1, maximum: 1024, shared: true })
  const memory = createMemory(createOS({ kernel: wasmKernel({ memory: wasm }) }))
  const v = memory.sysAlloc(PAGE, null)
  const cell = new Int32Array(memory.os.view(v, 4), v, 1)
  // The runner serves this path. The workspace has no module of that name.
  const runner = '/in-worker.js'
  const { inWorker } = (await import(runner)) as { inWorker(call: string, args: unknown[]): Promise<unknown> }
  const working = inWorker('addInPlace', [wasm, v])
  for (let i = 0; i < 100; i++) memory.sysAlloc(PAGE, null)
  const seen = await working
  return { seen, here: Atomics.load(cell, 0), throughNew: new Int32Array(memory.os.view(v, 4), v, 1)[0] }
}

/** The worker's part of `sharedWithWorker`. */
export function addInPlace(wasm: WebAssembly.Memory, v: number): number {
  const cell = new Int32Array(wasm.buffer, v, 1)
  for (let i = 0; i < 1000; i++) Atomics.add(cell, 0, 1)
  return Atomics.load(cell, 0)
}
