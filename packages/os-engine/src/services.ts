// What the host offers besides memory, by the kernel that was handed in. mem.ts hands it to core.
import type { HostServices } from '@memlayer/kernel'
import type { EngineKernel } from './systems/system.js'

/**
 * The services of a kernel, each called on the kernel, which may be a class. The table of the process is for
 * reservations that another thread may unmap. The engine does that here.
 */
export function servicesOf(kernel: EngineKernel): HostServices {
  const services: Record<string, unknown> = {}
  for (let at: object | null = kernel; at !== null && at !== Object.prototype; at = prototypeOf(at)) {
    for (const name of Object.getOwnPropertyNames(at)) {
      if (name === 'constructor' || name === 'processTable' || Object.hasOwn(services, name)) continue
      const member: unknown = Reflect.get(kernel, name, kernel)
      services[name] = typeof member === 'function' ? (member.bind(kernel) as unknown) : member
    }
  }
  return services
}

function prototypeOf(at: object): object | null {
  return Object.getPrototypeOf(at) as object | null
}
