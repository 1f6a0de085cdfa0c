// The k-th kernel call refused, for every k of a life, on every backend over its simulated
// kernel: the account is right, and the kernel holds what the account says, and nothing else.
import { createMemory, MemlayerError, type Memory } from '@memlayer/core'
import type { PlannedFault, SimulatedWindowsKernel } from '@memlayer/simkernel'
import { describe, expect, it } from 'vitest'
import { backends, type Pair } from './life.js'

const MiB = 2 ** 20

/** Every transition there is, of whole reservations and of parts. */
function live(memory: Memory): void {
  const stat = memory.stat('life')
  const { freesParts, pageSize } = memory.os.traits
  const a = memory.sysAlloc(4 * MiB, stat)
  const v = memory.sysReserve(null, 32 * MiB)
  const { address, size } = memory.sysReserveAligned(null, 3 * MiB, 4 * MiB)
  memory.sysMap(v, 16 * MiB, stat)
  memory.sysUsed(v, 8 * MiB)
  memory.sysUnused(v + pageSize, 4 * MiB)
  memory.sysUsed(v, 8 * MiB)
  memory.sysHugePage(v, 8 * MiB)
  memory.sysFault(v + MiB, MiB)
  memory.sysMap(v + MiB, MiB, stat)
  if (freesParts) {
    memory.sysFree(v + 8 * MiB, 4 * MiB, stat)
    memory.sysFree(v, 8 * MiB, stat)
    memory.sysFree(v + 12 * MiB, 20 * MiB, null)
  } else {
    memory.sysFree(v, 32 * MiB, stat)
  }
  memory.sysFree(a, 4 * MiB, stat)
  memory.sysFree(address, size, null)
}

/** The first owned range that the kernel does not hold as its state says, or bytes that it holds for nobody; null: none. */
function disagreement(memory: Memory, { kernel, os }: Pair): string | null {
  memory.check()
  for (const { address, size, state } of memory.ranges()) {
    let held = 0
    for (const { start, end, permissions } of kernel.maps()) {
      if (start >= address + size || end <= address) continue
      // Prepared memory is mapped, or taken away again, as the backend has it; Reserved memory is never writable.
      const may = permissions.includes('w') || permissions.includes('READWRITE')
      if (state === 'Ready' && !may) return `0x${start.toString(16)} is Ready and ${permissions}`
      if (state === 'Reserved' && may && os.traits.reservedTraps)
        return `0x${start.toString(16)} is Reserved and ${permissions}`
      held += Math.min(end, address + size) - Math.max(start, address)
    }
    if (held !== size) return `of ${size} bytes at 0x${address.toString(16)} the kernel has ${held}`
  }
  return surplus(memory, kernel)
}

/** What the kernel holds beyond what is owned; null: nothing. */
function surplus(memory: Memory, kernel: Pair['kernel']): string | null {
  // A break and a WebAssembly memory never shrink: what was given back stays with the backend, for its next reservation.
  if (kernel.os === 'plan9' || kernel.os === 'wasm') return null
  const held = kernel.maps().reduce((sum, { start, end }) => sum + end - start, 0)
  const owned = memory.ranges().reduce((sum, { size }) => sum + size, 0)
  return held === owned ? null : `the kernel has ${held} bytes, and ${owned} are owned`
}

/** Frees all that is owned; where reservations go only whole, each as the kernel has it. */
function freeAll(memory: Memory, { kernel }: Pair): void {
  const { freesParts, pageSize } = memory.os.traits
  const { query } = kernel as Partial<SimulatedWindowsKernel>
  const sizes = new Map<number, number>()
  for (const { address, size } of memory.ranges()) {
    if (freesParts) memory.sysFree(address, size, null)
    for (let v = address; !freesParts && v < address + size; v += pageSize) {
      const base = query?.call(kernel, v).allocationBase ?? v
      sizes.set(base, (sizes.get(base) ?? 0) + pageSize)
    }
  }
  for (const [base, size] of sizes) memory.sysFree(base, size, null)
}

/** Lives with one planned fault; what was thrown, and whether the plan was met. */
function liveWith(make: (plan: PlannedFault) => Pair, plan: PlannedFault): { error: unknown; met: boolean } {
  const pair = make(plan)
  const memory = createMemory(pair.os)
  let error: unknown
  try {
    live(memory)
  } catch (thrown) {
    error = thrown
    if (!(thrown instanceof MemlayerError)) throw thrown
  }
  const found = disagreement(memory, pair)
  if (found !== null) throw new Error(`${found}\n${String(error)}\n${pair.kernel.describe()}`)
  const met = pair.kernel.counters.planned > 0
  freeAll(memory, pair)
  expect(disagreement(memory, pair)).toBe(null)
  expect(memory.stats().total).toMatchObject({ reserved: 0, prepared: 0, ready: 0, held: 0 })
  return { error, met }
}

describe.each(backends)('$name, with the k-th kernel call refused', ({ name, make }) => {
  const errno = name === 'windows' ? 'ERROR_NOT_ENOUGH_MEMORY' : 'ENOMEM'

  it('has its account right for every k, and frees what is left', () => {
    const outcomes = { thrown: 0, silent: 0 }
    for (let call = 1; ; call++) {
      const { error, met } = liveWith((plan) => make({ plan: [plan] }), { call, errno })
      if (!met) {
        expect(error).toBeUndefined()
        break
      }
      outcomes[error === undefined ? 'silent' : 'thrown'] += 1
    }
    expect(outcomes.thrown).toBeGreaterThan(0)
  })
})
