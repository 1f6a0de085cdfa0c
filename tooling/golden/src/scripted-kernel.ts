// A kernel of all four kinds that follows a script. It compares each call with the next recorded call, argument by
// argument, and returns the recorded answer. It throws at the first call that differs.
import type { Plan9Kernel, PosixKernel, WasmKernel, WindowsKernel } from '@memlayer/kernel'
import type { TraceCall } from './trace.js'

/** A port of all four kinds over one script. */
export type ScriptedKernel = PosixKernel & WindowsKernel & Plan9Kernel & WasmKernel

/** Facts that a host would report: the page sizes and the first break. */
export interface ScriptedFacts {
  readonly pageSize: number
  readonly hugePageSize?: number
  readonly end?: number
}

/** The calls that the kernel still expects, and the port that receives them. */
export class Script {
  #calls: readonly TraceCall[] = []
  #next = 0

  /** Sets the calls that the kernel expects from now on. */
  expect(calls: readonly TraceCall[] | null): void {
    this.#calls = calls ?? []
    this.#next = 0
  }

  /** @throws Error if an expected call is missing. */
  end(): void {
    const missing = this.#calls[this.#next]
    if (missing !== undefined) throw new Error(`the backend did not call ${text(missing.fn, missing.args ?? [])}`)
  }

  /** Returns the port that follows this script. */
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
      // Anonymous memory has no file and no offset, so the recording left them out.
      mmap: (addr, length, prot, flags, fd, offset) =>
        minus(
          'mmap',
          fd === -1 && offset === 0 ? [addr, length, prot, flags] : [addr, length, prot, flags, fd, offset],
        ),
      munmap: (addr, length) => minus('munmap', [addr, length]),
      mprotect: (addr, length, prot) => minus('mprotect', [addr, length, prot]),
      madvise: (addr, length, advice) => minus('madvise', [addr, length, advice]),
      virtualAlloc: (addr, size, type, protect) => minus('VirtualAlloc', [addr, size, type, protect]),
      // The recording has a BOOL. The port returns a negative error number.
      virtualFree: (addr, size, type) => Math.min(minus('VirtualFree', [addr, size, type]), 0),
      brk: (addr) => minusOne('brk', [addr]),
      clear: (addr, length) => void this.#answer('clear', [addr, length]),
      currentMemory: () => this.#answer('currentMemory', []).ret,
      growMemory: (pages) => minusOne('growMemory', [pages]),
      resetMemoryDataView: () => void this.#answer('resetMemoryDataView', []),
      view: () => {
        throw new Error('a scripted kernel has no memory, so it can’t make a view: use a simulated kernel')
      },
    }
  }

  #answer(fn: string, args: readonly number[]): TraceCall {
    const call = this.#calls[this.#next]
    const asked = text(fn, args)
    if (call === undefined) throw new Error(`the backend called ${asked}, but the recording has no further call`)
    const expected = text(call.fn, call.args ?? [])
    if (asked !== expected) throw new Error(`the backend called ${asked}, but the recording has ${expected}`)
    this.#next += 1
    return call
  }
}

function text(fn: string, args: readonly number[]): string {
  return `${fn}(${args.join(', ')})`
}
