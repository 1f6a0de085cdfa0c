// The kernel calls of the four ports, one row a call. decorate.ts, fail.ts and record.ts read them.

/** How a person reads an argument: a name, a number, or the words of a flag. */
export type ArgumentKind = 'address' | 'size' | 'prot' | 'map' | 'advice' | 'number'

/**
 * How a person reads an answer. `count`: a number. `status`: 0, or minus the error number. `address`: an
 * address, or minus the error number.
 */
export type AnswerKind = 'count' | 'status' | 'address'

/** What a call answers when the kernel refuses it with an error number. */
export type Refusal = (errno: number) => number

/** A call that takes a list or an object. It is recorded with numbers alone. */
export interface ListArguments {
  /** The call's arguments as numbers. */
  flatten(args: readonly unknown[]): number[]
  /** The arguments again, from those numbers. Absent: the call is made with the arguments that were passed. */
  restore?(numbers: readonly number[]): readonly unknown[]
}

/** What is known of one kernel call. */
export interface KernelCallRow {
  /** Its arguments in order. Arguments after the last one named here are numbers. */
  readonly args: readonly ArgumentKind[]
  /** What it answers. */
  readonly answer: AnswerKind
  /** What it answers when the kernel refuses it; null: the kernel can't refuse it. */
  readonly refusal: Refusal | null
  /** Absent: every argument is a number. */
  readonly list?: ListArguments
}

const minusErrno: Refusal = (errno) => -errno
const minusOne: Refusal = () => -1
// madviseAll(ranges, advice): the numbers of the ranges, then the advice.
const rangesFirst: ListArguments = {
  flatten: ([ranges, advice]) => [...Array.from(ranges as ArrayLike<number>), advice as number],
  restore: (numbers) => [numbers.slice(0, -1), numbers.at(-1) ?? 0],
}

// addressOf(buffer): the bytes of the buffer.
const lengthOnly: ListArguments = { flatten: ([buffer]) => [(buffer as ArrayBufferLike).byteLength] }

/** Every call of the four ports, by its name. */
export const kernelCalls: ReadonlyMap<string, KernelCallRow> = new Map(
  Object.entries<KernelCallRow>({
    // PosixKernel
    mmap: { args: ['address', 'size', 'prot', 'map', 'number', 'number'], answer: 'address', refusal: minusErrno },
    munmap: { args: ['address', 'size'], answer: 'status', refusal: minusErrno },
    mprotect: { args: ['address', 'size', 'prot'], answer: 'status', refusal: minusErrno },
    madvise: { args: ['address', 'size', 'advice'], answer: 'status', refusal: minusErrno },
    madviseAll: { args: ['address', 'size'], answer: 'status', refusal: minusErrno, list: rangesFirst },
    addressOf: { args: ['size'], answer: 'address', refusal: minusErrno, list: lengthOnly },
    // WindowsKernel
    virtualAlloc: { args: ['address', 'size', 'map', 'prot'], answer: 'address', refusal: minusErrno },
    virtualFree: { args: ['address', 'size', 'map'], answer: 'status', refusal: minusErrno },
    // Plan9Kernel
    brk: { args: ['address'], answer: 'count', refusal: minusOne },
    clear: { args: ['address', 'size'], answer: 'status', refusal: null },
    // WasmKernel
    currentMemory: { args: [], answer: 'count', refusal: null },
    growMemory: { args: ['number'], answer: 'count', refusal: minusOne },
    resetMemoryDataView: { args: [], answer: 'status', refusal: null },
    discard: { args: ['address', 'size'], answer: 'status', refusal: minusOne },
  }),
)

/** A call that only one port has. That port names it in its member `kernelCalls`. */
export const ownCall: KernelCallRow = { args: ['address'], answer: 'status', refusal: minusErrno }

/** What is known of the call `fn` of a port; null: `fn` is not a kernel call. A port's own calls come first. */
export function callOf(kernel: object, fn: string): KernelCallRow | null {
  const own: unknown = Reflect.get(kernel, 'kernelCalls')
  if (Array.isArray(own) && own.includes(fn)) return ownCall
  return kernelCalls.get(fn) ?? null
}

/**
 * What the call `fn` of a port answers when the kernel refuses it with an error number; null: `fn` is not a
 * call that the kernel can refuse. A port with calls of its own names them in a member `kernelCalls`. Each of
 * them answers minus the error number.
 */
export function refusalOf(kernel: object, fn: string): ((errno: number) => number) | null {
  return callOf(kernel, fn)?.refusal ?? null
}
