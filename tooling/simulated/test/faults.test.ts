// Refuses the k-th kernel call for every k of a life, on every backend over its simulated kernel. After each refusal
// the account must be right, and the kernel must hold exactly the memory that the account says.
import { createMemory, MemlayerError, type Memory } from '@memlayer/core'
import type { PlannedFault, SimulatedWindowsKernel } from '@memlayer/simkernel'
import { describe, expect, it } from 'vitest'
import { backends, type Pair } from './life.js'

const MiB = 2 ** 20

/** Makes every transition, of whole reservations and of parts. */
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

/**
 * Returns the first owned range whose state does not match the kernel, or the bytes that the kernel holds without an
 * owner. Returns null if kernel and account agree.
 */
function disagreement(memory: Memory, { kernel, os }: Pair): string | null {
  memory.check()
  for (const { address, size, state } of memory.ranges()) {
    let held = 0
    for (const { start, end, permissions } of kernel.maps()) {
      if (start >= address + size || end <= address) continue
      // Prepared memory is writable on some backends only. Reserved memory is never writable.
      const may = permissions.includes('w') || permissions.includes('READWRITE')
      if (state === 'Ready' && !may) return `0x${start.toString(16)} is Ready, but its permissions are ${permissions}`
      if (state === 'Reserved' && may && os.traits.reservedTraps)
        return `0x${start.toString(16)} is Reserved, but its permissions are ${permissions}`
      held += Math.min(end, address + size) - Math.max(start, address)
    }
    if (held !== size) return `the kernel holds only ${held} of the ${size} owned bytes at 0x${address.toString(16)}`
  }
  return surplus(memory, kernel)
}

/** Returns a sentence if the kernel holds more than the owned bytes, or null. */
function surplus(memory: Memory, kernel: Pair['kernel']): string | null {
  // A break and a WebAssembly memory never shrink. The backend keeps freed memory for its next reservation.
  if (kernel.os === 'plan9' || kernel.os === 'wasm') return null
  const held = kernel.maps().reduce((sum, { start, end }) => sum + end - start, 0)
  const owned = memory.ranges().reduce((sum, { size }) => sum + size, 0)
  return held === owned ? null : `the kernel holds ${held} bytes, but only ${owned} are owned`
}

/** Frees all owned ranges. If a backend frees only whole reservations, it frees each as the kernel knows it. */
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

/** Makes all transitions with one planned fault. Returns the thrown error, and whether the fault happened. */
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

  it('has a right account for every k, and can free the remaining ranges', () => {
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
