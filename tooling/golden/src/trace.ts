// The recorded traces as data: see the README beside.
import { readFileSync } from 'node:fs'

/** One kernel call of the original. */
export interface TraceCall {
  readonly fn: string
  readonly args: readonly number[] | null
  readonly ret: number
  /** The error number, where the call failed. */
  readonly err?: number
}

/** One call of the original's function: what it asked of the kernel, and how it ended. */
export interface TraceStep {
  readonly op: string
  /** The register that the result goes to. */
  readonly as?: string
  /** The register that the range starts at. */
  readonly at?: string
  /** Bytes from the register; alone: an absolute hint. */
  readonly off?: number
  readonly n?: number
  readonly align?: number
  readonly calls: readonly TraceCall[] | null
  /** The address that came back; 0: refused. */
  readonly result?: number
  readonly size?: number
  /** The words that Go threw. */
  readonly throw?: string
  /** The code that Go left with, after `print`. */
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
  /** plan9: the first break. */
  readonly base?: number
  readonly steps: readonly TraceStep[]
}

/** The recorded traces of one operating system. */
export function tracesOf(os: string): Trace[] {
  return data('traces.jsonl')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Trace)
    .filter((trace) => trace.os === os)
}

/** A file of recorded data as text. */
export function data(name: string): string {
  return readFileSync(new URL(`../data/${name}`, import.meta.url), 'utf8')
}
