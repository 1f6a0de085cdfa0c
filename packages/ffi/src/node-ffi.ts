// node:ffi, Node 26's own foreign calls: for hosts that koffi has no build for, and where addons are switched off.
// It takes and returns BigInts for every type as wide as a pointer. A call takes three to five times as long as
// koffi's.
import { byteLengthOf, type Address } from '@memlayer/kernel'
import { NoEngineError, type CType, type Engine, type ForeignFunction } from './engine.js'

type Value = number | bigint

interface NodeFfi {
  dlopen(path: string | null): { readonly lib: Library }
  getRawPointer(bytes: Uint8Array): bigint
  toArrayBuffer(pointer: bigint, length: number, copy: boolean): ArrayBuffer
}

interface Library {
  getFunction(name: string, signature: { return: string; arguments: string[] }): (...args: Value[]) => Value
}

// A size is declared a pointer, too. node:ffi has no type for size_t, and a pointer is as wide.
const ffiTypes: Readonly<Record<CType, string>> = {
  int: 'int32',
  address: 'pointer',
  size: 'pointer',
  offset: 'int64',
}

// MAP_FAILED. A page is aligned, so neither value is ever an address.
const ALL_ONES_32 = 2n ** 32n - 1n
const ALL_ONES_64 = 2n ** 64n - 1n

/**
 * Foreign calls by node:ffi.
 *
 * @throws NoEngineError when this runtime has no node:ffi, or forbids it.
 */
export function nodeFfiEngine(): Engine {
  const ffi = process.getBuiltinModule('node:ffi') as NodeFfi | undefined
  if (ffi === undefined) throw absent()
  const libraries = new Map<string | null, Library>()
  // Opened now, so that a missing permission shows here and not at a later call.
  libraries.set(null, openLibrary(ffi, null))
  return {
    name: 'node:ffi',
    func(library: string | null, name: string, result: CType, params: readonly CType[]): ForeignFunction {
      let loaded = libraries.get(library)
      if (loaded === undefined) libraries.set(library, (loaded = openLibrary(ffi, library)))
      const types = params.map((param) => ffiTypes[param])
      return toNumbers(loaded.getFunction(name, { return: ffiTypes[result], arguments: types }), params)
    },
    view: (addr: Address, length: number): ArrayBuffer => ffi.toArrayBuffer(BigInt(addr), length, false),
    addressOf: (buffer: ArrayBufferLike): Address => Number(ffi.getRawPointer(new Uint8Array(buffer, 0, 1))),
    read(addr: Address, target: Uint8Array): void {
      target.set(new Uint8Array(ffi.toArrayBuffer(BigInt(addr), byteLengthOf(target), false)))
    },
    write(addr: Address, source: Uint8Array): void {
      new Uint8Array(ffi.toArrayBuffer(BigInt(addr), byteLengthOf(source), false)).set(source)
    },
  }
}

/**
 * Wraps `call` to take and return numbers. After the call it allocates nothing, because a garbage collection could
 * overwrite errno, which is read next.
 */
function toNumbers(call: (...args: Value[]) => Value, params: readonly CType[]): ForeignFunction {
  const convert = params.map((type) => (type === 'int' ? toInt : type === 'offset' ? toInt64 : toPointer))
  return (...args: number[]): number => {
    const result = call(...convert.map((one, i) => one(args[i] as number)))
    if (typeof result === 'number') return result
    return result === ALL_ONES_64 || result === ALL_ONES_32 ? -1 : Number(result)
  }
}

// node:ffi refuses -0, so this makes 0 of it.
const toInt = (value: number): Value => value | 0
const toInt64 = (value: number): Value => BigInt(value)
const toPointer = (value: number): Value => BigInt.asUintN(64, BigInt(value))

function openLibrary(ffi: NodeFfi, library: string | null): Library {
  try {
    return ffi.dlopen(library).lib
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'ERR_ACCESS_DENIED') throw error
    throw new NoEngineError(
      'the permission model forbids node:ffi',
      'Start node with --allow-ffi together with --permission.',
      error,
    )
  }
}

function absent(): NoEngineError {
  const isOff = process.execArgv.includes('--no-experimental-ffi')
  return isOff
    ? new NoEngineError('node:ffi is switched off', 'Start node without --no-experimental-ffi.')
    : new NoEngineError('this runtime has no node:ffi', 'Run on Node 26 or later.')
}
