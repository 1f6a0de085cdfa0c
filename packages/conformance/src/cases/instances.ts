// What a backend keeps, and where: what one kernel refused is known to its own instance alone, and a kernel's function
// is called on the kernel.
import { isAligned, type HostServices } from '@memlayer/kernel'
import { claim, same, thrownBy } from '../claim.js'
import { absent, notRun, type Definition, type Verdict, type World } from '../definition.js'
import { errnosOf, NO_KERNEL } from '../errnos.js'
import type { Stage } from '../stage.js'
import { services } from './shape.js'
import { whileRefused } from './with-refusals.js'

/** A number below it is a flag, a protection or an advice, and not an address. */
const FLAGS_END = 2 ** 16

/** Calls each function that may learn from a refusal on a Ready range, and tells what they answered. */
function useAll({ os }: Stage, v: number, n: number): string[] {
  const runs = {
    sysHugePageOS: () => os.sysHugePageOS(v, n),
    sysNoHugePageOS: () => os.sysNoHugePageOS?.(v, n),
    sysPopulateOS: () => os.sysPopulateOS?.(v, n),
    sysZeroOS: () => os.sysZeroOS?.(v, n),
    sysUnusedOS: () => os.sysUnusedOS(v, n),
    sysUsedOS: () => os.sysUsedOS(v, n),
    sysUnusedAllOS: () => os.sysUnusedAllOS?.([v, n]),
    'sysUsedOS again': () => os.sysUsedOS(v, n),
    sysRoomOS: () => os.sysRoomOS?.(n),
  }
  return Object.entries(runs).map(([name, run]) => {
    let answer: unknown
    const error = thrownBy(() => (answer = run()))
    return `${name} ${error === null ? String(answer) : 'throws'}`
  })
}

/** What a new backend over a kernel in order answers and asks, without addresses. */
function conductOf(world: World): string[] {
  return world.play((stage) => {
    const { memory, unit, takeCalls, witness } = stage
    const n = 4 * unit
    const v = memory.sysAlloc(n, null)
    takeCalls()
    const answers = useAll(stage, v, n)
    const calls = (takeCalls() ?? []).map(({ fn, args }) => {
      const flags = args.filter((arg) => arg < FLAGS_END && !(arg > 0 && isAligned(arg, stage.pageSize)))
      return `the call ${fn} with ${flags.join(', ')}`
    })
    stage.os.refusal = null
    // A real kernel chooses other addresses each time, and with them which huge pages a range cuts.
    return witness.setLimits === undefined ? answers : [...answers, ...calls]
  })
}

/** A kernel that refuses what it does not know, several times, below a backend of its own. */
function meetRefusals(world: World, errno: number): void {
  const { wrap, refuse } = whileRefused(errno)
  world.play(
    (stage) => {
      const { memory, os, unit } = stage
      const n = 4 * unit
      const v = memory.sysAlloc(n, null)
      refuse(() => {
        for (let times = 0; times < 3; times++) void useAll(stage, v, n)
      })
      os.refusal = null
      memory.sysUsed(v, n)
    },
    { wrap },
  )
}

function learnsAlone(world: World): Verdict | undefined {
  const errnos = errnosOf(world.subject)
  if (errnos === null) return notRun(NO_KERNEL)
  const before = conductOf(world)
  for (const errno of errnos) {
    meetRefusals(world, errno)
    const after = conductOf(world)
    const when = `of a new backend, after another's kernel refused with ${errno}`
    for (let i = 0; i < Math.max(before.length, after.length); i++) same(after[i], before[i], `step ${i + 1} ${when}`)
  }
  return undefined
}

/** What a backend asks, it asks of its own kernel, for a range with whole huge pages too. */
function asksOwnKernel(world: World): Verdict | undefined {
  if (world.subject.kernel === undefined) return notRun(NO_KERNEL)
  return world.play((one) =>
    world.play((two) => {
      const { memory, os, unit } = two
      const n = Math.max(4 * unit, 3 * os.traits.hugePageSize)
      const v = memory.sysAlloc(n, null)
      one.takeCalls()
      void useAll(two, v, n)
      memory.sysFault(v, n)
      memory.sysMap(v, n, null)
      memory.sysUsed(v, n)
      memory.sysFree(v, n, null)
      const [heard] = one.takeCalls() ?? []
      claim(heard === undefined, `a backend asked the kernel of another one: ${heard?.fn} ${heard?.args.join(' ')}`)
      return undefined
    }),
  )
}

/** A kernel whose functions work only when they are called on it, as those of a class with private fields. */
function strict<K extends object>(kernel: K): K {
  const made = new Map<unknown, unknown>()
  const proxy: K = new Proxy(kernel, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name, target)
      if (typeof member !== 'function') return member
      const known = made.get(member)
      if (known !== undefined) return known
      const own = function (this: unknown, ...args: unknown[]): unknown {
        if (this !== proxy) throw new TypeError(`the kernel's ${String(name)} was called without its kernel`)
        return Reflect.apply(member, target, args) as unknown
      }
      made.set(member, own)
      return own
    },
  })
  return proxy
}

function calledOnKernel(world: World): Verdict | undefined {
  if (world.subject.kernel === undefined) return notRun(NO_KERNEL)
  return world.play(
    (stage) => {
      const { memory, os, pageSize, unit } = stage
      const n = 4 * unit
      const v = memory.sysAlloc(n, null)
      const { host } = os
      const calls = {
        read: () => host?.read?.(v, new Uint8Array(8)),
        write: () => host?.write?.(v, new Uint8Array(8)),
        hugePages: () => host?.hugePages?.(v, n),
        residency: () => host?.residency?.(v, n),
        mappings: () => host?.mappings?.(),
        limits: () => host?.limits?.(),
        groupLimits: () => host?.groupLimits?.(),
        processLimits: () => host?.processLimits?.(),
        processMemory: () => host?.processMemory?.(),
        residentMemory: () => host?.residentMemory?.(),
      }
      for (const [name, call] of Object.entries(calls)) {
        const error = thrownBy(call)
        claim(error === null, `host.${name} threw an error: ${String(error)}`)
      }
      for (const answer of useAll(stage, v, n)) claim(!answer.endsWith('throws'), answer)
      memory.sysFault(v, pageSize)
      memory.sysMap(v, pageSize, null)
      return undefined
    },
    { wrap: strict },
  )
}

function handsOverWhole(world: World): Verdict | undefined {
  if (world.subject.kernel === undefined) return notRun(NO_KERNEL)
  let below: HostServices = {}
  const wrap = (kernel: object): object => (below = kernel)
  return world.play(
    ({ os }) => {
      if (os.host === undefined) return absent('host')
      for (const name of ['foreignCalls', ...services] as const) {
        // The engine frees what its threads leave, so its memory needs no record of the process.
        if (name === 'processTable' && os.traits.ends === 'zeroed') continue
        same(typeof os.host[name], typeof below[name], `os.host.${name}, by the kernel's`)
      }
      return undefined
    },
    { wrap },
  )
}

export const instanceCases: readonly Definition[] = [
  {
    id: 'shape/learns-alone',
    title:
      'keeps what its kernel refuses in the instance: a new backend over a kernel in order asks and answers as ever',
    show: learnsAlone,
  },
  {
    id: 'shape/own-kernel',
    title: 'every function: asks the kernel that the backend was made with, and no other backend’s',
    show: asksOwnKernel,
  },
  {
    id: 'shape/host-whole',
    title: 'host: has every service that the kernel port has, and no other',
    show: handsOverWhole,
  },
  {
    id: 'shape/called-on-kernel',
    title: 'host, and every function: call the functions of the kernel on the kernel, which may be a class',
    show: calledOnKernel,
  },
]
