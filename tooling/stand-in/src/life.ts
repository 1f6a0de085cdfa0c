// A whole life of memory, and whether the kernel holds what the account says: what the tests of
// every POSIX backend have in common.
import type { Memory, RegionState } from '@memlayer/core'
import { mappings } from '@memlayer/witness'

const MiB = 2 ** 20

/** Every transition there is. `at.op` is the operation it was at when it ended. */
export function live(memory: Memory, at: { op: string } = { op: '' }): void {
  const stat = memory.stat('life')
  const { pageSize } = memory.os.traits
  const step = <T>(op: string, run: () => T): T => {
    at.op = op
    return run()
  }
  const a = step('sysAlloc', () => memory.sysAlloc(4 * MiB, stat))
  const v = step('sysReserve', () => memory.sysReserve(null, 64 * MiB))
  const { address, size } = step('sysReserveAligned', () => memory.sysReserveAligned(null, 3 * MiB, 2 ** 26))
  step('sysMap', () => memory.sysMap(v, 32 * MiB, stat))
  step('sysUsed', () => memory.sysUsed(v, 16 * MiB))
  new Uint8Array(memory.os.view(v, MiB)).fill(0xa5)
  step('sysUnused', () => memory.sysUnused(v + pageSize, 8 * MiB))
  step('sysUsed', () => memory.sysUsed(v, 8 * MiB))
  step('sysHugePage', () => memory.sysHugePage(v, 16 * MiB))
  step('sysFault', () => memory.sysFault(v + MiB, MiB))
  step('sysMap', () => memory.sysMap(v + MiB, MiB, stat))
  step('sysFault', () => memory.sysFault(v + 4 * MiB, MiB))
  step('sysFree', () => memory.sysFree(v + 8 * MiB, 40 * MiB, stat))
  step('sysFree', () => memory.sysFree(v, 8 * MiB, stat))
  step('sysFree', () => memory.sysFree(v + 48 * MiB, 16 * MiB, null))
  step('sysFree', () => memory.sysFree(a, 4 * MiB, stat))
  step('sysFree', () => memory.sysFree(address, size, null))
}

const permissions: Readonly<Record<RegionState, string>> = {
  None: '',
  Reserved: '---p',
  Prepared: 'rw-p',
  Ready: 'rw-p',
}

/** The first owned range that the kernel does not hold as its state says, or null. Throws when the account is wrong. */
export function disagreement(memory: Memory): string | null {
  memory.check()
  const mapped = mappings()
  for (const { address, size, state } of memory.ranges()) {
    const bytes = mapped
      .filter(
        ({ permissions: found, start, end }) => found === permissions[state] && start < address + size && end > address,
      )
      .reduce((sum, { start, end }) => sum + Math.min(end, address + size) - Math.max(start, address), 0)
    if (bytes !== size)
      return `of ${size} bytes ${state} at 0x${address.toString(16)}, ${bytes} are ${permissions[state]}`
  }
  return null
}
