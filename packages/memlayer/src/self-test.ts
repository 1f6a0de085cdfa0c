// A region's life on this host's own memory, held against what its traits promise. doctor.ts runs it.
import type { Memory } from '@memlayer/core'

const SIZE = 2 ** 24

/** Sentences about what did not do as it should; none when all is well. It frees what it takes. */
export function selfTest(memory: Memory): string[] {
  const wrong: string[] = []
  const { traits } = memory.os
  using region = memory.reserve(SIZE, { name: 'memlayer-doctor' })
  const half = SIZE / 2
  region.commit(0, SIZE)
  const bytes = region.view(Uint8Array, 0, SIZE)
  if (bytes.some((byte) => byte !== 0)) wrong.push('Memory that was just mapped is not zero.')
  bytes.fill(0xa5)
  if (bytes[SIZE - 1] !== 0xa5) wrong.push('Memory does not keep what is written to it.')
  region.hugePage(0, half)
  region.unused(0, half)
  if (bytes.length !== 0) wrong.push('A view over memory that was given back can still be read.')
  const left = memory.residency(region.address, half)
  // Freed lazily (MADV_FREE), memory stays until the kernel needs it.
  if (traits.unusedReturnsMemory && traits.unusedDropsContents && left !== null && left.resident > 0) wrong.push('Memory that was given back is still resident.')
  region.used(0, half)
  if (traits.unusedDropsContents && region.view(Uint8Array, 0, half).some((byte) => byte !== 0)) wrong.push('Memory that was given back does not read zero.')
  if (region.view(Uint8Array, half, 1)[0] !== 0xa5) wrong.push('Giving memory back took its neighbour along.')
  region.fault(half, half)
  memory.check()
  return wrong
}
