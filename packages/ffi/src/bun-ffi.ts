// bun:ffi, Bun's own foreign calls. The code asks the process for it at run time. So a bundler that does not know
// Bun has nothing to resolve.
import { byteLengthOf, type Address } from '@memlayer/kernel'
import { NoEngineError, type CType, type Engine, type ForeignFunction } from './engine.js'
import { openLibc } from './libc.js'

type Value = number | bigint | null

interface BunFfi {
  dlopen(
    path: string,
    symbols: Record<string, { args: string[]; returns: string }>,
  ): {
    readonly symbols: Record<string, (...args: number[]) => Value>
  }
  ptr(bytes: Uint8Array): number
  toArrayBuffer(pointer: number, offset: number, length: number): ArrayBuffer
}

// An address goes in as u64, which carries all 64 bits of a double. As ptr it would end at 2^63. It comes back as
// ptr: a number while that is exact, null for 0, else a bigint.
const argumentTypes: Readonly<Record<CType, string>> = { int: 'i32', address: 'u64', size: 'u64', offset: 'i64' }
const resultTypes: Readonly<Record<CType, string>> = { int: 'i32', address: 'ptr', size: 'ptr', offset: 'i64' }

const ALL_ONES = 2n ** 64n - 1n
// The longest ArrayBuffer that JavaScriptCore can make.
const VIEW_BYTES_MAX = 2 ** 32

/** Bun compiles a function for each symbol. It says so by a TypeError where it may not compile. */
function opened(ffi: BunFfi, path: string, symbols: Parameters<BunFfi['dlopen']>[1]): ReturnType<BunFfi['dlopen']> {
  try {
    return ffi.dlopen(path, symbols)
  } catch (error) {
    if (!String(error).includes('requires the JIT')) throw error
    const hint = 'Raise RLIMIT_DATA and RLIMIT_AS (ulimit -d, ulimit -v), or unset BUN_JSC_useJIT.'
    throw new NoEngineError('Bun has no JIT here, because it is switched off or has no memory', hint, error)
  }
}

/**
 * Foreign calls by bun:ffi.
 *
 * @throws NoEngineError when this runtime has no bun:ffi. Its `func` throws one when Bun may not compile.
 */
export function bunEngine(): Engine {
  const ffi = process.getBuiltinModule('bun:ffi') as BunFfi | undefined
  if (ffi === undefined) throw new NoEngineError('this runtime has no bun:ffi', 'Run on Bun.')
  const { markAsUntransferable } = process.getBuiltinModule('node:worker_threads')
  // toArrayBuffer refuses a length of 0.
  const bytes = (addr: Address, length: number): Uint8Array =>
    length === 0 ? new Uint8Array(0) : new Uint8Array(ffi.toArrayBuffer(addr, 0, length))
  return {
    name: 'bun:ffi',
    func(library: string | null, name: string, result: CType, params: readonly CType[]): ForeignFunction {
      const symbols = { [name]: { args: params.map((type) => argumentTypes[type]), returns: resultTypes[result] } }
      const open = (path: string): ReturnType<BunFfi['dlopen']> => opened(ffi, path, symbols)
      const loaded = library === null ? openLibc(open) : open(library)
      return toNumbers(loaded.symbols[name] as (...args: number[]) => Value)
    },
    view(addr: Address, length: number): ArrayBuffer {
      if (length > VIEW_BYTES_MAX)
        throw new RangeError(`cannot view ${length} bytes: a view in Bun has at most 4 GiB. Make several views.`)
      const buffer = ffi.toArrayBuffer(addr, 0, length)
      // Otherwise structuredClone and postMessage would move the bytes to a buffer that outlives the pages.
      markAsUntransferable(buffer)
      return buffer
    },
    addressOf: (buffer: ArrayBufferLike): Address => ffi.ptr(new Uint8Array(buffer, 0, 1)),
    read: (addr: Address, target: Uint8Array): void => target.set(bytes(addr, byteLengthOf(target))),
    write: (addr: Address, source: Uint8Array): void => bytes(addr, byteLengthOf(source)).set(source),
  }
}

export { NoEngineError, bunEngine as openEngine }

/**
 * Wraps `call` to return numbers. After the call it allocates nothing, because a garbage collection could overwrite
 * errno, which is read next.
 */
function toNumbers(call: (...args: number[]) => Value): ForeignFunction {
  return (...args: number[]): number => {
    const answer = call(...args)
    if (typeof answer === 'number') return answer
    if (answer === null) return 0
    return answer === ALL_ONES ? -1 : Number(answer)
  }
}
