// The backend as an object: its functions, its frozen traits, and the independence of two backends.
import type { OS, Traits } from '@memlayer/core'
import { isPowerOfTwo, type HostServices } from '@memlayer/kernel'
import { claimBytes, fill } from '../bytes.js'
import { claim, same } from '../claim.js'
import type { Definition, World } from '../definition.js'
import { errnosOf } from '../errnos.js'
import type { Stage } from '../stage.js'
import { whileRefused } from './with-refusals.js'

const functions = [
  'sysAllocOS',
  'sysUnusedOS',
  'sysUsedOS',
  'sysHugePageOS',
  'sysFreeOS',
  'sysFaultOS',
  'sysReserveOS',
  'sysMapOS',
  'view',
] as const satisfies readonly (keyof OS)[]

const optional = [
  'detach',
  'sysUnusedAllOS',
  'sysPopulateOS',
  'sysNoHugePageOS',
  'sysZeroOS',
  'sysAdoptOS',
  'onDetach',
] as const satisfies readonly (keyof OS)[]

type Service = Exclude<keyof HostServices, 'foreignCalls'>

/** The functions that a kernel port may offer besides the calls that move memory. */
export const services: readonly Service[] = [
  'read',
  'write',
  'hugePages',
  'mappings',
  'processLimits',
  'heap',
  'processTable',
  'limits',
  'groupLimits',
  'pressure',
  'residency',
  'processMemory',
  'residentMemory',
  'trim',
]

const flags = [
  'freesParts',
  'hints',
  'reservedTraps',
  'unusedTraps',
  'faultTraps',
  'threadsShare',
  'unusedReturnsMemory',
  'unusedDropsContents',
] as const satisfies readonly (keyof Traits)[]

// More bytes than most address spaces have.
const TOO_MUCH = 2 ** 52

/** Plays on a stage whose kernel refuses every call while `refuse` runs, where there is a kernel. */
function playRefusing(world: World, scene: (stage: Stage, refuse: <T>(run: () => T) => T) => void): void {
  const { wrap, refuse } = whileRefused(errnosOf(world.subject)?.[0] ?? null)
  world.play((stage) => scene(stage, refuse), { wrap })
}

/** Fails unless the refusal that one backend met is its own. */
function claimOwnRefusal(one: Stage, two: Stage, refuse: <T>(run: () => T) => T): void {
  for (const stage of [one, two]) stage.os.refusal = null
  // Without a kernel, only too large a request is refused.
  const p = refuse(() => one.os.sysReserveOS(null, TOO_MUCH))
  if (p !== null) return one.os.sysFreeOS(p, TOO_MUCH)
  claim((one.os.refusal ?? null) !== null, 'sysReserveOS returned null but kept no refusal')
  claim((two.os.refusal ?? null) === null, 'a second backend tells the refusal of the first')
  two.os.refusal = null
  claim((one.os.refusal ?? null) !== null, 'the refusal of the first is gone when that of the second is cleared')
  one.os.refusal = null
}

export const shapeCases: readonly Definition[] = [
  {
    id: 'shape/functions',
    title: 'has a name, and every function of the contract',
    show: (world) =>
      world.play(({ os }) => {
        claim(typeof os.name === 'string' && os.name !== '', `the name is ${os.name}`)
        for (const name of functions) same(typeof os[name], 'function', `os.${name}`)
        for (const name of optional) {
          claim(['function', 'undefined'].includes(typeof os[name]), `os.${name} is not a function and not undefined`)
        }
        claim(['object', 'undefined'].includes(typeof os.host), 'os.host is not an object and not undefined')
        for (const name of services) {
          const service: unknown = os.host?.[name]
          claim(
            ['function', 'undefined'].includes(typeof service),
            `os.host.${name} is not a function and not undefined`,
          )
        }
      }),
  },
  {
    id: 'shape/traits',
    title: 'has all traits, frozen, with sizes in powers of two',
    show: (world) =>
      world.play(({ os }) => {
        const { pageSize, hugePageSize, granularity } = os.traits
        claim(Object.isFrozen(os.traits), 'the traits are not frozen')
        claim(isPowerOfTwo(pageSize), `pageSize is ${pageSize}`)
        claim(
          isPowerOfTwo(granularity) && granularity >= pageSize,
          `granularity is ${granularity}, pages are ${pageSize}`,
        )
        claim(
          hugePageSize === 0 || (isPowerOfTwo(hugePageSize) && hugePageSize > pageSize),
          `hugePageSize is ${hugePageSize}`,
        )
        for (const flag of flags) same(typeof os.traits[flag], 'boolean', `traits.${flag}`)
        const { ends, splitsMappings, ...others } = os.traits
        claim([undefined, 'detached', 'zeroed'].includes(ends), `traits.ends is ${String(ends)}`)
        claim(
          splitsMappings === undefined || typeof splitsMappings === 'boolean',
          `traits.splitsMappings is ${String(splitsMappings)}`,
        )
        same(Object.keys(others).length, flags.length + 3, 'the number of traits')
        claim(
          os.usedKeepsReady !== true || world.subject.usedKeepsReady !== false,
          'os.usedKeepsReady is true, and the subject says that sysUsed may take what is Ready',
        )
      }),
  },
  {
    id: 'shape/instances',
    title: 'keeps its state in the instance: two backends over two kernels are independent',
    show: (world) =>
      playRefusing(world, (one, refuse) => {
        const n = 4 * one.unit
        const v = one.memory.sysAlloc(n, null)
        fill(one.os, v, n, 1)
        // Make it while the first is in use, so that shared state would be reset under the first.
        world.play((two) => {
          claim(one.os !== two.os, 'createOS returned the same backend twice')
          const w = two.memory.sysAlloc(n, null)
          fill(two.os, w, n, 2)
          two.memory.sysFree(w, n, null)
          claimOwnRefusal(one, two, refuse)
        })
        claimBytes(one.os, v, n, 1, "what is written in one, after the other's life")
        const next = one.memory.sysAlloc(n, null)
        claimBytes(one.os, next, n, 0, "new memory of one, after the other's life")
      }),
  },
]
