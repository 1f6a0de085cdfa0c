// A port of the same shape as another, whose kernel calls pass through one function. record.ts and fail.ts
// are made of it. Facts (pageSize, limits, view) go straight to the port below.
import { callOf, kernelCalls } from './calls.js'

type Call = (...args: number[]) => number

/** A port like `kernel`. Each of its kernel calls is made by `around`. */
export function decorate<K extends object>(kernel: K, around: (fn: string, args: number[], call: Call) => number): K {
  const port: Record<string, unknown> = {}
  for (const name of memberNames(kernel)) {
    const member: unknown = Reflect.get(kernel, name)
    if (typeof member !== 'function') {
      Object.defineProperty(port, name, {
        // A descriptor that inherited a value could not have a getter.
        __proto__: null,
        enumerable: true,
        get: () => Reflect.get(kernel, name) as unknown,
      } as PropertyDescriptor)
      continue
    }
    const call = member.bind(kernel) as Call
    const list = kernelCalls.get(name)?.list
    if (callOf(kernel, name) === null) port[name] = call
    else if (list === undefined) port[name] = (...args: number[]) => around(name, args, call)
    else {
      port[name] = (...args: unknown[]) =>
        around(name, list.flatten(args), (...numbers) => call(...((list.restore?.(numbers) ?? args) as number[])))
    }
  }
  return port as K
}

/** Own and inherited members, so that a port may be a class. */
function memberNames(kernel: object): Set<string> {
  const names = new Set<string>()
  for (let at = kernel; at !== null && at !== Object.prototype; at = Object.getPrototypeOf(at) as object) {
    for (const name of Object.getOwnPropertyNames(at)) if (name !== 'constructor') names.add(name)
  }
  return names
}
