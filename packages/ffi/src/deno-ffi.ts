// Deno.dlopen, Deno's own foreign calls, behind its permission --allow-ffi.
import { byteLengthOf, type Address } from '@memlayer/kernel'
import { NoEngineError, type CType, type Engine, type ForeignFunction } from './engine.js'
import { openLibc } from './libc.js'

type Value = number | bigint

declare const pointer: unique symbol
/** An address as Deno represents it. */
type Pointer = { readonly [pointer]: true } | null

interface Deno {
  dlopen?(
    path: string,
    symbols: Record<string, { parameters: string[]; result: string }>,
  ): {
    readonly symbols: Record<string, (...args: Value[]) => Value>
  }
  readonly UnsafePointer: {
    create(address: bigint): Pointer
    of(bytes: Uint8Array): Pointer
    value(pointer: Pointer): Value
  }
  readonly UnsafePointerView: {
    getArrayBuffer(pointer: Pointer, length: number): ArrayBuffer
    copyInto(pointer: Pointer, target: Uint8Array): void
  }
}

const denoTypes: Readonly<Record<CType, string>> = { int: 'i32', address: 'usize', size: 'usize', offset: 'i64' }

const ALL_ONES = 2n ** 64n - 1n

/**
 * Foreign calls by Deno.
 *
 * @throws NoEngineError when this runtime has no Deno.dlopen, or when its permission is missing.
 */
export function denoEngine(): Engine {
  const { Deno: deno } = globalThis as { Deno?: Deno }
  const dlopen = deno?.dlopen
  if (deno === undefined || dlopen === undefined)
    throw new NoEngineError('this runtime has no Deno.dlopen', 'Run on Deno.')
  const at = (addr: Address): Pointer => deno.UnsafePointer.create(BigInt(addr))
  const view = (addr: Address, length: number): ArrayBuffer => deno.UnsafePointerView.getArrayBuffer(at(addr), length)
  const func = (library: string | null, name: string, result: CType, params: readonly CType[]): ForeignFunction => {
    const symbols = { [name]: { parameters: params.map((type) => denoTypes[type]), result: denoTypes[result] } }
    const open = (path: string): ReturnType<typeof dlopen> => dlopen(path, symbols)
    const loaded = library === null ? openLibc(open) : open(library)
    return toNumbers(loaded.symbols[name] as (...args: Value[]) => Value, params)
  }
  permit(() =>
    func(
      process.platform === 'win32' ? 'kernel32.dll' : null,
      process.platform === 'win32' ? 'GetLastError' : 'getpagesize',
      'int',
      [],
    ),
  )
  return {
    name: 'deno',
    func,
    view,
    addressOf: (buffer: ArrayBufferLike): Address =>
      Number(deno.UnsafePointer.value(deno.UnsafePointer.of(new Uint8Array(buffer, 0, 1)))),
    read: (addr: Address, target: Uint8Array): void => {
      if (byteLengthOf(target) > 0) deno.UnsafePointerView.copyInto(at(addr), target)
    },
    write: (addr: Address, source: Uint8Array): void => new Uint8Array(view(addr, byteLengthOf(source))).set(source),
  }
}

export { NoEngineError, denoEngine as openEngine }

/** Makes one call early, so that a missing permission shows here and not at a later call. */
function permit(call: () => unknown): void {
  try {
    call()
  } catch (error) {
    const { name } = error as Error
    // Deno 1 called it PermissionDenied.
    if (name !== 'NotCapable' && name !== 'PermissionDenied') throw error
    throw new NoEngineError('Deno forbids foreign calls without its permission', 'Start deno with --allow-ffi.', error)
  }
}

/**
 * Wraps `call` to take and return numbers. After the call it allocates nothing, because a garbage collection could
 * overwrite errno, which is read next.
 */
function toNumbers(call: (...args: Value[]) => Value, params: readonly CType[]): ForeignFunction {
  const isWide = params.map((type) => type === 'address' || type === 'size')
  return (...args: number[]): number => {
    const answer = call(...args.map((value, i) => (isWide[i] === true ? toWide(value) : value)))
    if (typeof answer === 'number') return answer
    return answer === ALL_ONES ? -1 : Number(answer)
  }
}

/** A bigint for a number beyond 2^53, because Deno would cut the number at 2^63. */
function toWide(value: number): Value {
  return value >= 0 && value <= Number.MAX_SAFE_INTEGER ? value : BigInt.asUintN(64, BigInt(value))
}
