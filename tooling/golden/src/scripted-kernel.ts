// A kernel of all four kinds that follows a script: it expects the next recorded call,
// argument by argument, and gives the recorded answer. Any other call is an error at once.
import type { Plan9Kernel, PosixKernel, WasmKernel, WindowsKernel } from '@memlayer/kernel'
import type { TraceCall } from './trace.js'

/** A port of every kind over one script. */
export type ScriptedKernel = PosixKernel & WindowsKernel & Plan9Kernel & WasmKernel

/** What a host would tell: page sizes, the first break. */
export interface ScriptedFacts {
  readonly pageSize: number
  readonly hugePageSize?: number
  readonly end?: number
}

/** The kernel's calls that are yet to come, and the port that takes them. */
export class Script {
  #calls: readonly TraceCall[] = []
  #next = 0

  /** What the kernel is to be asked from now on. */
  expect(calls: readonly TraceCall[] | null): void {
    this.#calls = calls ?? []
    this.#next = 0
  }

  /** Throws when a call that was expected has not come. */
  end(): void {
    const missing = this.#calls[this.#next]
    if (missing !== undefined) throw new Error(`the kernel was not asked ${text(missing.fn, missing.args ?? [])}`)
  }

  /** The port. */
  kernel({ pageSize, hugePageSize = 0, end = 0 }: ScriptedFacts): ScriptedKernel {
    const minus = (fn: string, args: number[]): number => {
      const { ret, err } = this.#answer(fn, args)
      return err === undefined ? ret : -err
    }
    const minusOne = (fn: string, args: number[]): number => {
      const { ret, err } = this.#answer(fn, args)
      return err === undefined ? ret : -1
    }
    return {
      pageSize,
      hugePageSize,
      allocationGranularity: 65536,
      end,
      // Anonymous memory has no file and no offset; the recording left them out.
      mmap: (addr, length, prot, flags, fd, offset) =>
        minus(
          'mmap',
          fd === -1 && offset === 0 ? [addr, length, prot, flags] : [addr, length, prot, flags, fd, offset],
        ),
      munmap: (addr, length) => minus('munmap', [addr, length]),
      mprotect: (addr, length, prot) => minus('mprotect', [addr, length, prot]),
      madvise: (addr, length, advice) => minus('madvise', [addr, length, advice]),
      virtualAlloc: (addr, size, type, protect) => minus('VirtualAlloc', [addr, size, type, protect]),
      // A BOOL in the recording, an error number on the port.
      virtualFree: (addr, size, type) => Math.min(minus('VirtualFree', [addr, size, type]), 0),
      brk: (addr) => minusOne('brk', [addr]),
      clear: (addr, length) => void this.#answer('clear', [addr, length]),
      currentMemory: () => this.#answer('currentMemory', []).ret,
      growMemory: (pages) => minusOne('growMemory', [pages]),
      resetMemoryDataView: () => void this.#answer('resetMemoryDataView', []),
      view: () => {
        throw new Error('a scripted kernel has no bytes')
      },
    }
  }

  #answer(fn: string, args: readonly number[]): TraceCall {
    const call = this.#calls[this.#next]
    const asked = text(fn, args)
    if (call === undefined) throw new Error(`the kernel was asked ${asked}, and nothing more was expected`)
    const expected = text(call.fn, call.args ?? [])
    if (asked !== expected) throw new Error(`the kernel was asked ${asked}, and ${expected} was expected`)
    this.#next += 1
    return call
  }
}

function text(fn: string, args: readonly number[]): string {
  return `${fn}(${args.join(', ')})`
}
