// Compares the account with the kernel: the kernel must hold exactly what the layer says it holds.
import { createMemory, type Memory } from '@memlayer/core'
import { claim, same } from '../claim.js'
import { absent, notRun, type Definition } from '../definition.js'
import type { Stage } from '../stage.js'
import { ready } from './transitions.js'

/** Fails unless the kernel holds every range in its state. */
export function claimKernelAgrees(
  { memory, os, witness }: Pick<Stage, 'memory' | 'os' | 'witness'>,
  when: string,
): void {
  memory.check()
  for (const { address, size, state } of memory.ranges()) {
    const text = `${state} memory, ${when}`
    if (witness.held !== undefined)
      same(witness.held(address, size), size, `what the kernel holds of ${size} bytes of ${text}`)
    if (witness.faults === undefined) continue
    for (const v of [address, address + size - os.traits.pageSize]) {
      if (state === 'Ready') claim(!witness.faults(v, 'write'), `${text}: a write faults`)
      if (state === 'Reserved' && os.traits.reservedTraps && os.traits.faultTraps)
        claim(witness.faults(v, 'read'), `${text}: a read does not fault`)
    }
  }
}

/** The bytes that the account has in any state. */
export function ownedBytes(memory: Memory): number {
  const { reserved, prepared, ready: inUse } = memory.stats().total
  return reserved + prepared + inUse
}

export const accountCases: readonly Definition[] = [
  {
    id: 'account/kernel',
    title: 'after each step of a life the kernel holds each range in the state that the account says',
    show: (world) =>
      world.play((stage) => {
        const { memory, unit, witness } = stage
        if (witness.held === undefined || witness.faults === undefined) {
          return notRun('needs a witness that tells what the kernel holds, and whether a touch faults')
        }
        const stat = memory.stat('life')
        const v = memory.sysReserve(null, 32 * unit)
        claimKernelAgrees(stage, 'after sysReserve')
        memory.sysMap(v, 24 * unit, stat)
        claimKernelAgrees(stage, 'after sysMap')
        memory.sysUsed(v, 16 * unit)
        claimKernelAgrees(stage, 'after sysUsed')
        memory.sysUnused(v + 2 * unit, 4 * unit)
        claimKernelAgrees(stage, 'after sysUnused')
        memory.sysFault(v + 4 * unit, 4 * unit)
        claimKernelAgrees(stage, 'after sysFault')
        same(stat.load(), 24 * unit, 'what the category counts')
        memory.sysFree(v, 32 * unit, stat)
        same(stat.load(), 0, 'what the category counts after sysFree')
        same(ownedBytes(memory), 0, 'what is owned after sysFree')
        return undefined
      }),
  },
  {
    id: 'account/total',
    title: 'the kernel holds the owned bytes and no byte more, during a life and at its end',
    show: (world) =>
      world.play((stage) => {
        const { memory, os, unit, witness } = stage
        if (witness.total === undefined) return notRun('needs a witness that tells all that the kernel holds')
        if (!os.traits.reservedTraps) return absent('reservedTraps')
        const { total } = witness
        const start = total()
        const balance = (when: string): void =>
          same(total() - start, ownedBytes(memory), `what the kernel holds ${when}`)
        const v = memory.sysAlloc(5 * unit, null)
        balance('after sysAlloc')
        const w = ready(stage, 9, 1)
        balance('after sysReserve, sysMap and sysUsed')
        memory.sysUnused(w, 4 * unit)
        balance('after sysUnused')
        memory.sysFault(w + 4 * unit, 4 * unit)
        balance('after sysFault')
        memory.sysFree(v, 5 * unit, null)
        balance('after sysFree')
        memory.sysFree(w, 9 * unit, null)
        balance('at the end')
        return undefined
      }),
  },
  {
    id: 'account/sizes',
    title: 'a reservation or an allocation has exactly the requested size, down to the page',
    show: (world) =>
      world.play(({ memory, os, unit, pageSize, witness }) => {
        if (witness.total === undefined) return notRun('needs a witness that tells all that the kernel holds')
        if (!os.traits.reservedTraps) return absent('reservedTraps')
        for (const n of [pageSize, 3 * pageSize, 5 * unit, 17 * unit]) {
          for (const op of ['sysAlloc', 'sysReserve'] as const) {
            const before = witness.total()
            const v = op === 'sysAlloc' ? memory.sysAlloc(n, null) : memory.sysReserve(null, n)
            same(witness.total() - before, n, `what the kernel holds for ${op} of ${n} bytes`)
            memory.sysFree(v, n, null)
            same(witness.total(), before, `what the kernel holds after they are freed`)
          }
        }
        return undefined
      }),
  },
  {
    id: 'account/mappings',
    title: 'host.mappings: tells the number of kernel mappings and their limit, if the backend has it',
    show: (world) =>
      world.play((stage) => {
        const { memory, os, unit } = stage
        const { host } = os
        if (host?.mappings === undefined) return absent('host.mappings')
        const runs = 512
        const first = host.mappings()
        if (Number.isNaN(first.used)) return notRun('this kernel does not tell how many mappings there are')
        // The kernel can't merge neighbours in different states, where it knows of states.
        const v = memory.sysReserve(null, runs * unit)
        for (let i = 0; i < runs; i += 2) {
          memory.sysMap(v + i * unit, unit, null)
          memory.sysUsed(v + i * unit, unit)
        }
        const { used, limit } = host.mappings()
        const more = used - first.used
        // The engine maps and unmaps memory in the meantime: up to 33 mappings were seen.
        const expected = os.traits.splitsMappings === false ? 0 : runs
        const [least, most] = [expected - runs / 4, expected + runs / 4]
        claim(
          more >= least && more <= most,
          `${runs} runs of pages in alternating states add ${more} mappings, expected ${least} to ${most}`,
        )
        claim(limit >= used, `${used} mappings are in use, and ${limit} are allowed`)
        return undefined
      }),
  },
  {
    id: 'account/batch',
    title: 'sysUnusedAll: has the same effect on many ranges as sysUnused on each',
    show: (world) => {
      const ranges = [
        [0, 2],
        [3, 1],
        [4, 3],
        [9, 2],
      ] as const
      const live = (all: boolean): string =>
        world.play((stage) => {
          const { memory, os, unit } = stage
          const v = ready(stage, 12, 5)
          if (all) memory.sysUnusedAll(ranges.flatMap(([from, n]) => [v + from * unit, n * unit]))
          else for (const [from, n] of ranges) memory.sysUnused(v + from * unit, n * unit)
          stage.witness.takeForfeit?.()
          const resident = stage.witness.resident?.(v, 12 * unit)
          memory.sysUsed(v, 12 * unit)
          const bytes = Array.from({ length: 12 }, (_, i) => memory.view(Uint8Array, v + i * unit, 1)[0])
          const sure =
            os.traits.unusedDropsContents || !os.traits.unusedReturnsMemory || stage.witness.takeForfeit !== undefined
          return JSON.stringify([resident, sure ? bytes : null])
        })
      same(live(true), live(false), 'resident bytes and contents after sysUnusedAll')
      return undefined
    },
  },
  {
    id: 'account/two-memories',
    title: 'two memories share one backend, and neither gets a range that the other owns',
    show: (world) =>
      world.play(({ memory, os, unit }) => {
        const other = createMemory(os)
        const taken: number[] = []
        for (let i = 0; i < 16; i++) {
          const v = (i % 2 === 0 ? memory : other).sysReserve(null, unit)
          claim(!taken.includes(v), 'the same range was handed out twice')
          taken.push(v)
        }
        for (const [i, v] of taken.entries()) if (i % 2 === 1) other.sysFree(v, unit, null)
        same(ownedBytes(other), 0, 'what the second owns at its end')
      }),
  },
]
