// Reads the recorded traces as data. The README of this package describes them.
import { readFileSync } from 'node:fs'

/** One kernel call that Go made. */
export interface TraceCall {
  readonly fn: string
  readonly args: readonly number[] | null
  readonly ret: number
  /** The error number of a failed call. */
  readonly err?: number
}

/** One call of a Go function: the kernel calls that it made, and its outcome. */
export interface TraceStep {
  readonly op: string
  /** The register that gets the result. */
  readonly as?: string
  /** The register with the start of the range. */
  readonly at?: string
  /** Bytes from the register. Without a register, an absolute hint. */
  readonly off?: number
  readonly n?: number
  readonly align?: number
  readonly calls: readonly TraceCall[] | null
  /** The returned address. 0 means that the call was refused. */
  readonly result?: number
  readonly size?: number
  /** The message that Go threw. */
  readonly throw?: string
  /** The code that Go exited with, after it printed `print`. */
  readonly exit?: number
  readonly print?: string
}

/** One scenario. */
export interface Trace {
  readonly name: string
  readonly os: string
  readonly config: {
    readonly madvdontneed: number
    readonly harddecommit: number
    readonly physHugePageSize: number
    readonly maxChunk: number
  }
  /** The first break, on plan9 only. */
  readonly base?: number
  readonly steps: readonly TraceStep[]
}

/** Returns the recorded traces of one operating system. */
export function tracesOf(os: string): Trace[] {
  return data('traces.jsonl')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Trace)
    .filter((trace) => trace.os === os)
}

/** Returns the text of a file of recorded data. */
export function data(name: string): string {
  return readFileSync(new URL(`../data/${name}`, import.meta.url), 'utf8')
}
