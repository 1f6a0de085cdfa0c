// Defines a case of the suite, and functions that compare values. It uses no test runner, because a case runs on
// every runtime, in bundles, and in a page.
import { createMemory, type Memory } from 'memlayer'
import { createOS } from 'memlayer/os'

/** One claim about memlayer. */
export interface Case {
  readonly title: string
  /** Runs the case. It fails by throwing. */
  run(): void | Promise<void>
}

/** The outcome of a suite. */
export interface Outcome {
  /** The runtime's name and version: `Node 24.21.0`, `Bun 1.4.5`. In a page it is ''. */
  readonly runtime: string
  /** The value of memory.choice.backend. */
  readonly backend: string
  /** The values of memory.choice.how and memory.choice.reason. */
  readonly how: string
  readonly reason: string
  /** The value of memory.os.name. */
  readonly os: string
  /** The engine of the foreign calls, or `null` without foreign calls. */
  readonly engine: string | null
  readonly passed: readonly string[]
  readonly failed: readonly { readonly title: string; readonly message: string }[]
}

/** Makes an empty memory over the chosen backend. */
export function freshMemory(): Memory {
  return createMemory(createOS())
}

/** A size of whole pages on every backend, including js. */
export const CHUNK_BYTES = 65_536

/** Compares two values by their JSON. BigInts and values that JSON leaves out compare by their text. @throws Error */
export function equal(actual: unknown, expected: unknown, what: string): void {
  const [is, shouldBe] = [show(actual), show(expected)]
  if (is !== shouldBe) throw new Error(`${what}: is ${is}, but should be ${shouldBe}`)
}

/** Returns the error that `run` throws. @throws Error if `run` does not throw. */
export function thrownBy(run: () => unknown, what: string): Error & { readonly code?: unknown } {
  try {
    run()
  } catch (error) {
    return error as Error & { readonly code?: unknown }
  }
  throw new Error(`${what}: it should throw, but did not`)
}

function show(value: unknown): string {
  if (value === undefined || typeof value === 'bigint' || Object.is(value, NaN)) return String(value)
  return JSON.stringify(value)
}
