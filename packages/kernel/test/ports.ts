// Ports of all four kinds. They answer from a list and keep the calls that they got.
import type { Plan9Kernel, PosixKernel, WasmKernel, WindowsKernel } from '@memlayer/kernel'

/** The calls that a port got, as `name(arguments)`. */
export type Asked = string[]

/** A POSIX port as a class, so that its members are inherited. Its answers come in order. */
export class PosixPort implements PosixKernel {
  readonly asked: Asked = []
  readonly #answers: number[]
  hugePageSize = 0
  readonly limits = (): never => {
    throw new Error('limits was asked')
  }

  constructor(...answers: number[]) {
    this.#answers = answers
  }

  /** Behind a getter, like a kernel that reads it late. */
  get pageSize(): number {
    return 4096
  }

  mmap(...args: number[]): number {
    return this.#answer('mmap', args)
  }

  munmap(...args: number[]): number {
    return this.#answer('munmap', args)
  }

  mprotect(...args: number[]): number {
    return this.#answer('mprotect', args)
  }

  madvise(...args: number[]): number {
    return this.#answer('madvise', args)
  }

  view(_: number, length: number): ArrayBuffer {
    return new ArrayBuffer(length)
  }

  #answer(name: string, args: number[]): number {
    this.asked.push(`${name}(${args.join(', ')})`)
    return this.#answers.shift() ?? 0
  }
}

/** The other three ports in one object, with one list of calls. */
export function otherPorts(asked: Asked): WindowsKernel & Plan9Kernel & WasmKernel {
  const ask =
    (name: string, answer: number) =>
    (...args: number[]): number => {
      asked.push(`${name}(${args.join(', ')})`)
      return answer
    }
  return {
    pageSize: 65536,
    allocationGranularity: 65536,
    end: 0x10000,
    virtualAlloc: ask('virtualAlloc', 0x20000),
    virtualFree: ask('virtualFree', 0),
    brk: ask('brk', 0),
    clear: (addr, length) => void asked.push(`clear(${addr}, ${length})`),
    currentMemory: ask('currentMemory', 4),
    growMemory: ask('growMemory', 4),
    resetMemoryDataView: () => void asked.push('resetMemoryDataView()'),
    view: (_, length) => new ArrayBuffer(length),
  }
}
