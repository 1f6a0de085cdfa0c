// Symbols and strings of C, for code that looks for what the process has. linux-allocator.ts and linux-process.ts
// use it.
import type { Address } from '@memlayer/kernel'
import { NoEngineError } from '#engine'
import type { Engine } from './engine.js'

/** Declares a function. Null when no library of the process has it. */
export function declare<T>(make: () => T): T | null {
  try {
    return make()
  } catch (error) {
    // An obstacle to all calls, which may pass, is none of this function.
    if (error instanceof NoEngineError) throw error
    return null
  }
}

/** A string in memory of the C library. It stays there, so make each once. */
export function cString(engine: Engine, text: string): Address {
  const bytes = new TextEncoder().encode(text)
  const address = engine.func(null, 'calloc', 'address', ['size', 'size'])(1, bytes.length + 1)
  if (address !== 0) engine.write(address, bytes)
  return address
}

/** dlsym(3) over all that the process has loaded, in the order in which it was loaded. 0: no such symbol. */
export function addressOf(engine: Engine): (name: string) => Address {
  // glibc before 2.34 has it in libdl, which every runtime has loaded.
  const dlsym = engine.func(null, 'dlsym', 'address', ['address', 'address'])
  const free = engine.func(null, 'free', 'int', ['address'])
  return (name) => {
    const text = cString(engine, name)
    // RTLD_DEFAULT is 0.
    const address = dlsym(0, text)
    void free(text)
    return address
  }
}
