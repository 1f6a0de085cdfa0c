// A case of the suite, and what it says when it fails. No test runner: a case runs on every runtime, in
// bundles, and in a page.
import { createMemory, type Memory } from 'memlayer'
import { createOS } from 'memlayer/os'

/** One claim about memlayer. */
export interface Case {
  readonly title: string
  /** Fails by throwing. */
  run(): void | Promise<void>
}

/** What came of a suite. */
export interface Outcome {
  /** `Node 24.21.0`, `Bun 1.4.5`; a page has none. */
  readonly runtime: string
  /** memory.choice.backend. */
  readonly backend: string
  /** memory.choice.how, and why. */
  readonly how: string
  readonly reason: string
  /** memory.os.name. */
  readonly os: string
  /** What makes the foreign calls; `null`: nothing does. */
  readonly engine: string | null
  readonly passed: readonly string[]
  readonly failed: readonly { readonly title: string; readonly message: string }[]
}

/** A memory of the chosen backend, and nothing in it. */
export function freshMemory(): Memory {
  return createMemory(createOS())
}

/** Bytes that are whole pages of every backend, js's included. */
export const CHUNK = 65_536

/** Throws unless both are the same, as JSON says them; BigInts and what JSON leaves out compare by their text. */
export function equal(actual: unknown, expected: unknown, what: string): void {
  const [is, shouldBe] = [show(actual), show(expected)]
  if (is !== shouldBe) throw new Error(`${what}: is ${is}, and should be ${shouldBe}`)
}

/** What `run` throws. Throws itself when nothing is thrown. */
export function thrownBy(run: () => unknown, what: string): Error & { readonly code?: unknown } {
  try {
    run()
  } catch (error) {
    return error as Error & { readonly code?: unknown }
  }
  throw new Error(`${what}: nothing was thrown`)
}

function show(value: unknown): string {
  if (value === undefined || typeof value === 'bigint' || Object.is(value, NaN)) return String(value)
  return JSON.stringify(value)
}
