// sysReserveAligned on the backend: it reserves more and frees the ends, or reserves again. No part may be left over.
import { isAligned } from '@memlayer/kernel'
import { claimBytes, fill } from '../bytes.js'
import { claim, same } from '../claim.js'
import { absent, notRun, type Definition } from '../definition.js'

export const alignmentCases: readonly Definition[] = [
  {
    id: 'alignment/reserve-aligned',
    title: 'sysReserveAligned: has the requested alignment, at least the requested size, and works like other memory',
    show: (world) =>
      world.play(({ memory, os, unit }) => {
        for (const times of [1, 2, 8, 64]) {
          const align = times * unit
          for (let i = 0; i < 6; i++) {
            // Neighbours of odd sizes, so that the next place is often not aligned.
            memory.sysReserve(null, (1 + 2 * i) * unit)
            const { address, size } = memory.sysReserveAligned(null, 3 * unit, align)
            claim(isAligned(address, align), `the address ${address} is not a multiple of ${align}`)
            claim(size >= 3 * unit, `got ${size} bytes, expected at least ${3 * unit}`)
            memory.sysMap(address, size, null)
            memory.sysUsed(address, size)
            claimBytes(os, address, size, 0, 'an aligned reservation')
            fill(os, address, size, 1)
            memory.sysFree(address, size, null)
          }
        }
      }),
  },
  {
    id: 'alignment/no-debris',
    title: 'sysReserveAligned: gives back what it reserved beyond its result',
    show: (world) =>
      world.play(({ memory, os, unit, witness }) => {
        if (witness.total === undefined) return notRun('needs a witness that tells all that the kernel holds')
        memory.sysReserve(null, unit)
        const before = witness.total()
        const ranges = Array.from({ length: 8 }, () => memory.sysReserveAligned(null, 2 * unit, 16 * unit))
        const sum = ranges.reduce((total, { size }) => total + size, 0)
        if (!os.traits.reservedTraps) return absent('reservedTraps')
        same(witness.total() - before, sum, 'what the kernel holds for eight aligned reservations')
        for (const { address, size } of ranges) memory.sysFree(address, size, null)
        same(witness.total(), before, 'what the kernel holds after they are freed')
        return undefined
      }),
  },
  {
    id: 'alignment/any-page',
    title: 'every transition accepts any whole pages within a reservation',
    show: (world) =>
      world.play(({ memory, os, unit, pageSize }) => {
        const v = memory.sysReserve(null, 8 * unit)
        const from = v + unit - pageSize
        const n = 3 * pageSize + 2 * unit
        memory.sysMap(from, n, null)
        memory.sysUsed(from, n)
        fill(os, from, n, 7)
        memory.sysUnused(from + pageSize, n - 2 * pageSize)
        memory.sysUsed(from + pageSize, pageSize)
        fill(os, from + pageSize, pageSize, 8)
        memory.sysFault(from + n - pageSize, pageSize)
        claimBytes(os, from, pageSize, 7, 'the first page')
        claimBytes(os, from + pageSize, pageSize, 8, 'the second page')
        const states = memory
          .ranges()
          .map(({ address, size, state }) => `${(address - v) / pageSize}+${size / pageSize} ${state}`)
        claim(states.length >= 3, `the account has only ${states.join(', ')}`)
      }),
  },
]
