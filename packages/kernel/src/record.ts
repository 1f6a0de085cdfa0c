// The recording port: the calls that went down to the kernel, in order, with the answers.
import { kernelCalls, ownCall, type AnswerKind, type ArgumentKind } from './calls.js'
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
 * A port that makes every call on `kernel` and writes it down. `onCall` gets each call when it has ended. A
 * port with calls of its own names them in a member `kernelCalls`.
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
  const { args: kinds, answer } = kernelCalls.get(call.fn) ?? ownCall
  const args = call.args.map((arg, i) => argumentTexts[kinds[i] ?? 'number'](family, arg))
  return `${call.fn}(${args.join(', ')}) = ${answerTexts[answer](family, call.ret)}`
}

type Text = (family: ErrnoFamily, value: number) => string

const argumentTexts: Readonly<Record<ArgumentKind, Text>> = {
  address: (_, value) => hex(value),
  size: (_, value) => String(value),
  prot: (family, value) => flagText(flagWords[family].prot, value),
  map: (family, value) => flagText(flagWords[family].map, value),
  advice: adviceText,
  number: (_, value) => String(value),
}

const answerTexts: Readonly<Record<AnswerKind, Text>> = {
  count: (_, value) => String(value),
  status: (family, value) => (value < 0 ? refusalText(family, value) : String(value)),
  address: (family, value) => (value < 0 ? refusalText(family, value) : hex(value)),
}

function refusalText(family: ErrnoFamily, value: number): string {
  return `${value} ${errnoName(family, -value)}`
}

function hex(value: number): string {
  return value === 0 ? '0' : `0x${value.toString(16)}`
}
