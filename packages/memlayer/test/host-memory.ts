// The real memory of the host with limits, hosts and choices that are made up, for the tests of doctor.
import { createMemory, type OS } from '@memlayer/core'
import { createOS } from '@memlayer/os-linux'
import type { HostMemory } from '../dist/lazy-memory.js'

const MiB = 2 ** 20
const GiB = 2 ** 30

/** Limits that give no warning. */
export const sound = {
  addressSpace: Infinity,
  addressSpaceUsed: GiB,
  lockedMemory: 8 * MiB,
  lockedMemoryUsed: 0,
  maxMappings: 65530,
  mappings: 200,
  overcommit: 0,
  commitLimit: 16 * GiB,
  committed: GiB,
  groupLimit: 8 * GiB,
  groupUsed: GiB,
  hugePages: 'madvise',
} as const

/** The real memory behind a backend of which some members are replaced. */
export function hostMemory(
  host: NonNullable<OS['host']>,
  choice: Partial<HostMemory['choice']> = {},
  replaced: Partial<OS> = {},
): HostMemory {
  const real = createOS()
  const os = new Proxy(real, {
    get(target, name) {
      if (Object.hasOwn(replaced, name)) return Reflect.get(replaced, name) as unknown
      if (name === 'host') return { ...target.host, ...host }
      const member: unknown = Reflect.get(target, name)
      return typeof member === 'function' ? (member.bind(target) as unknown) : member
    },
    set: (target, name, value) => Reflect.set(target, name, value),
  })
  return Object.assign(createMemory(os), {
    choice: { backend: '@memlayer/os-linux', how: 'host' as const, reason: 'process.platform is linux', ...choice },
    require: (): void => undefined,
  })
}
