// The recording port: the calls that went down to the kernel, in order, with the answers.
import { decorate } from './decorate.js'
import { errnoName, type ErrnoFamily } from './errno.js'
import { adviceText, flagText, flagWords } from './flags.js'

/** One kernel call: the port's function, its arguments, and what it returned. */
export interface KernelCall {
  /** The port's function: `'mmap'`, `'virtualFree'`, `'growMemory'`. */
  readonly fn: string
  /** The arguments as they were passed. */
  readonly args: readonly number[]
  /** The value, or minus the error number; 0 where the call returns nothing. */
  readonly ret: number
}

/** A port that records, and what it has recorded. */
export interface Recording<K> {
  /** Hand this to a backend in place of the kernel that is recorded. */
  readonly kernel: K
  /** The calls so far, oldest first. */
  readonly calls: readonly KernelCall[]
  /** Returns the calls so far and forgets them. */
  take(): KernelCall[]
}

/**
 * A port that makes every call on `kernel` and writes it down; `onCall` hears of each as it ends. A port
 * with calls of its own names them in a member `kernelCalls`.
 */
export function record<K extends object>(kernel: K, onCall?: (call: KernelCall) => void): Recording<K> {
  const calls: KernelCall[] = []
  const port = decorate(kernel, (fn, args, call) => {
    const ret = call(...args) as number | undefined
    const made: KernelCall = { fn, args, ret: ret ?? 0 }
    calls.push(made)
    onCall?.(made)
    return ret as number
  })
  return { kernel: port, calls, take: () => calls.splice(0) }
}

/**
 * A recorded call as a person reads it:
 * `mmap(0, 1048576, PROT_NONE, MAP_PRIVATE|MAP_ANON, -1, 0) = 0x7f0000000000`.
 */
export function describeCall(family: ErrnoFamily, call: KernelCall): string {
  const words = flagWords[family]
  const args = call.args.map((arg, i) => argumentText(family, words, call.fn, arg, i))
  return `${call.fn}(${args.join(', ')}) = ${answerText(family, call)}`
}

function argumentText(
  family: ErrnoFamily,
  words: (typeof flagWords)[ErrnoFamily],
  fn: string,
  arg: number,
  i: number,
): string {
  switch (fn) {
    case 'mmap':
      return i === 0 ? hex(arg) : i === 2 ? flagText(words.prot, arg) : i === 3 ? flagText(words.map, arg) : String(arg)
    case 'mprotect':
      return i === 0 ? hex(arg) : i === 2 ? flagText(words.prot, arg) : String(arg)
    case 'madvise':
      return i === 0 ? hex(arg) : i === 2 ? adviceText(family, arg) : String(arg)
    case 'virtualAlloc':
      return i === 0 ? hex(arg) : i === 2 ? flagText(words.map, arg) : i === 3 ? flagText(words.prot, arg) : String(arg)
    case 'virtualFree':
      return i === 0 ? hex(arg) : i === 2 ? flagText(words.map, arg) : String(arg)
    case 'growMemory':
      return String(arg)
    default:
      return i === 0 ? hex(arg) : String(arg)
  }
}

function answerText(family: ErrnoFamily, call: KernelCall): string {
  if (call.fn === 'growMemory' || call.fn === 'currentMemory' || call.fn === 'brk') return String(call.ret)
  if (call.ret < 0) return `${call.ret} ${errnoName(family, -call.ret)}`
  return call.fn === 'mmap' || call.fn === 'virtualAlloc' ? hex(call.ret) : String(call.ret)
}

function hex(value: number): string {
  return value === 0 ? '0' : `0x${value.toString(16)}`
}
