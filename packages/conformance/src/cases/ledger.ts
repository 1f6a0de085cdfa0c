// The backend with a ledger and without: a call that the ledger refuses never reaches the kernel. A call that it
// accepts does what Go's own wrappers would do.
import type { Memory } from '@memlayer/core'
import type { KernelCall } from '@memlayer/kernel'
import { claimOutcome, same, thrownBy } from '../claim.js'
import { notRun, type Definition, type World } from '../definition.js'
import type { Stage } from '../stage.js'
import { live } from './kth-call.js'
import { ready } from './transitions.js'

/** Wrong calls, by name. */
function misuses({ memory, unit, pageSize }: Stage, v: number): Readonly<Record<string, () => unknown>> {
  const other = memory.stat('other')
  const reserved = memory.sysReserve(null, 4 * unit)
  return {
    'sysMap of Ready memory': () => memory.sysMap(v, unit, null),
    'sysUsed of Reserved memory': () => memory.sysUsed(reserved, unit),
    'sysUnused of Reserved memory': () => memory.sysUnused(reserved, unit),
    'sysUnused of Prepared memory': () => memory.sysUnused(v + 4 * unit, unit),
    'sysFault of Reserved memory': () => memory.sysFault(reserved, unit),
    'sysUnused beyond the end': () => memory.sysUnused(v + 7 * unit, 4096 * unit),
    'sysHugePage of memory that is not owned': () => memory.sysHugePage(2 ** 52 - 64 * unit, unit),
    'sysFree of memory that is not owned': () => memory.sysFree(2 ** 52 - 64 * unit, unit, null),
    'sysFree under a wrong category': () => memory.sysFree(v, 8 * unit, other),
    'sysUnused inside a page': () => memory.sysUnused(v + pageSize / 2, unit),
    'sysUsed of half a page': () => memory.sysUsed(v, pageSize / 2),
    'sysReserve of no bytes': () => memory.sysReserve(null, 0),
    'sysReserve of a part of a page': () => memory.sysReserve(null, pageSize + 1),
    'sysAlloc of a negative size': () => memory.sysAlloc(-unit, null),
    'sysReserveAligned at a size that is not a power of two': () => memory.sysReserveAligned(null, unit, 3 * unit),
  }
}

export const ledgerCases: readonly Definition[] = [
  {
    id: 'ledger/misuse',
    title: 'a wrong call throws a UsageError and makes no kernel call',
    show: (world) =>
      world.play((stage) => {
        const { memory, unit } = stage
        const stat = memory.stat('mine')
        const v = memory.sysReserve(null, 8 * unit)
        memory.sysMap(v, 8 * unit, stat)
        memory.sysUsed(v, 4 * unit)
        const wrong = misuses(stage, v)
        stage.takeCalls()
        for (const [name, call] of Object.entries(wrong)) {
          claimOutcome(thrownBy(call), ['UsageError'], name)
          same(stage.takeCalls()?.length ?? 0, 0, `kernel calls of ${name}`)
        }
        memory.check()
        memory.sysFree(v, 8 * unit, stat)
        return stage.takeCalls() === null ? notRun('the subject has no kernel to watch') : undefined
      }),
  },
  {
    id: 'ledger/same-calls',
    title: 'a life makes the same kernel calls with a ledger and without',
    show: (world) => {
      if (world.subject.kernel === undefined) return notRun('the subject has no kernel to watch')
      same(callsOf(world, true), callsOf(world, false), 'the kernel calls of a life')
      return undefined
    },
  },
  {
    id: 'ledger/zero-bytes',
    title: 'transitions of zero bytes do nothing and make no kernel call',
    show: (world) =>
      world.play((stage) => {
        const { memory } = stage
        const v = ready(stage, 1, 1)
        stage.takeCalls()
        for (const op of ['sysUnused', 'sysUsed', 'sysHugePage', 'sysFault'] as const) memory[op](v, 0)
        same(stage.takeCalls()?.length ?? 0, 0, 'kernel calls')
      }),
  },
  {
    id: 'ledger/off',
    title: 'without a ledger a life works too, and its category ends with zero bytes',
    show: (world) =>
      world.play(
        ({ memory, unit }) => {
          live(memory, unit)
          same(memory.stat('life').load(), 0, 'what the category counts')
        },
        { ledger: false },
      ),
  },
]

/** The calls of a life: sizes, flags and advice. Addresses are left out, because a real kernel chooses new ones. */
function callsOf(world: World, ledger: boolean): string {
  return world.play(
    (stage) => {
      stage.takeCalls()
      // Leave aligned reservations out, because their calls depend on the kernel's answers.
      live(withoutAligned(stage.memory), stage.unit)
      return (stage.takeCalls() ?? []).map(text).join('\n')
    },
    { ledger },
  )
}

function text({ fn, args }: KernelCall): string {
  return fn === 'brk' ? fn : `${fn}(${args.slice(1).join(', ')})`
}

function withoutAligned(memory: Memory): Memory {
  return new Proxy(memory, {
    get(target, name) {
      if (name === 'sysReserveAligned') {
        return (_: unknown, size: number) => ({ address: target.sysReserve(null, size), size })
      }
      const member: unknown = Reflect.get(target, name, target)
      return typeof member === 'function' ? (member.bind(target) as unknown) : member
    },
  })
}
