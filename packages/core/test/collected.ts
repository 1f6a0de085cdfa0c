// In place of the collector: a FinalizationRegistry whose objects a test collects at the moment that it chooses.
import { vi } from 'vitest'

interface Registered {
  readonly target: object
  readonly token: object | undefined
  readonly call: () => void
}

/** What is registered, in any registry that was made since `replaceRegistry`. */
export class Collector {
  #all: Registered[] = []

  /** The number of objects that are registered. */
  get size(): number {
    return this.#all.length
  }

  /** Collects an object: each registry that still has it is told. Returns how many were. */
  collect(target: object): number {
    const own = this.#all.filter((one) => one.target === target)
    this.#all = this.#all.filter((one) => one.target !== target)
    for (const { call } of own) call()
    return own.length
  }

  add(one: Registered): void {
    this.#all.push(one)
  }

  remove(token: object): boolean {
    const before = this.#all.length
    this.#all = this.#all.filter((one) => one.token !== token)
    return this.#all.length < before
  }
}

/** Puts it in the place of the engine's own. What is imported anew from here on uses it. */
export function replaceRegistry(): Collector {
  const collector = new Collector()
  vi.stubGlobal(
    'FinalizationRegistry',
    class {
      readonly #call: (held: unknown) => void
      constructor(call: (held: unknown) => void) {
        this.#call = call
      }
      register(target: object, held: unknown, token?: object): void {
        collector.add({ target, token, call: () => this.#call(held) })
      }
      unregister(token: object): boolean {
        return collector.remove(token)
      }
    },
  )
  vi.resetModules()
  return collector
}
