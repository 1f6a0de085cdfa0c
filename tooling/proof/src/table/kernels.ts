// What a wrong backend takes for a constant: the sizes that the kernels of its subject usually have, and what their
// ports can do.
import type { OS, Traits } from '@memlayer/core'
import type { AnySubject } from '../simulated.js'
import type { Fault } from './fault.js'

const sizes = ['pageSize', 'hugePageSize'] as const

/** Whether the subject's kernels take another size over. */
function takes({ kernel }: AnySubject, size: (typeof sizes)[number], usual: number): boolean {
  const made = kernel?.({ seed: 1, [size]: 2 * usual })
  return made !== undefined && Reflect.get(made, size) === 2 * usual
}

function constant(usual: Traits, size: (typeof sizes)[number]): Fault {
  return {
    fn: 'traits',
    way: `tell the usual ${size} over any kernel`,
    change: ({ os }) => ({
      traits: Object.freeze(
        Object.defineProperties({}, { ...Object.getOwnPropertyDescriptors(os.traits), [size]: { value: usual[size] } }),
      ) as Traits,
    }),
  }
}

const services = ['limits', 'residency', 'read'] as const

/** The functions of the port that a wrong backend calls without a look, where a port may lack them. */
function serviceFaults(os: OS, kernel: object | undefined): Fault[] {
  const named = kernel !== undefined && ('mmap' in kernel || 'virtualAlloc' in kernel)
  return services
    .filter((service) => named && os.host === kernel && os.host?.[service] !== undefined)
    .map((service) => ({
      fn: 'sysFreeOS',
      way: `needs host.${service}, which a port may lack`,
      change: ({ os: right }) => ({
        sysFreeOS(v: number, n: number): void {
          if (right.host?.[service] === undefined) throw new TypeError(`${service} is not a function`)
          right.sysFreeOS(v, n)
        },
      }),
    }))
}

/** The faults of what a subject's kernels can vary. */
export function kernelFaults(subject: AnySubject, os: OS, kernel: object | undefined): Fault[] {
  const constants = sizes
    .filter((size) => os.traits[size] > 0 && takes(subject, size, os.traits[size]))
    .map((size) => constant(os.traits, size))
  return [...constants, ...serviceFaults(os, kernel)]
}
