// The k-th kernel call fails, for every k of a life, over a stand-in. The error has the right class, the account
// is what the kernel holds, and no byte is lost. A backend's faults.test.ts calls it with its errors.
import { createMemory, FatalError, OutOfMemoryError, type Memory, type OS } from '@memlayer/core'
import { errnos, failCall, type ErrnoFamily, type PosixKernel } from '@memlayer/kernel'
import { expect, it } from 'vitest'
import { disagreement, live } from './life.js'
import type { StandIn } from './stand-in.js'

/** A backend, its kernel, and the errors of its calls. */
export interface FailingBackend {
  /** What the titles of its tests begin with. */
  readonly name: string
  readonly createOS: (options: { readonly kernel: PosixKernel }) => OS
  /** Its kernel, made anew. */
  readonly standIn: () => StandIn
  /** The system that gives the error numbers. */
  readonly family: ErrnoFamily
  /** The errors that a call fails with, by name. */
  readonly errors: readonly string[]
  /** The errors with which sysAlloc throws a FatalError, because Go exits. Absent: none. */
  readonly fatalInAlloc?: readonly string[]
}

type ErrorClass = typeof OutOfMemoryError | typeof FatalError

/** Declares a test for each error. */
export function testFailures(backend: FailingBackend): void {
  it.each(backend.errors)(`${backend.name}, %s: account and kernel agree for every k`, (error) => {
    let refused = 0
    for (let k = 1; ; k++) {
      const outcome = fail(backend, k, error)
      if (outcome.refused) refused += 1
      if (outcome.ended) break
    }
    // The backend ignores a refused madvise. It does not ignore a refused mapping or protection.
    expect(refused).toBeGreaterThanOrEqual(12)
  })
}

interface Outcome {
  /** Whether the life ended with an error. */
  readonly refused: boolean
  /** Whether the life had fewer than k calls. */
  readonly ended: boolean
}

/** A life whose k-th call fails. */
function fail({ createOS, standIn, family, fatalInAlloc = [] }: FailingBackend, k: number, error: string): Outcome {
  const { kernel, mappedBytes } = standIn()
  const plan = failCall(kernel, k, errnos[family][error] as number)
  const memory = createMemory(createOS({ kernel: plan.kernel }))
  const at = { op: '' }
  let thrown: unknown
  try {
    live(memory, at)
  } catch (caught) {
    thrown = caught
  }
  const refused = thrown !== undefined
  const isRight = !refused || classesFor(at.op, family, error, fatalInAlloc).some((one) => thrown instanceof one)
  expect(isRight, `${at.op}: ${String(thrown)}`).toBe(true)
  expect(plan.failed || !refused, 'a life without a refusal throws nothing').toBe(true)
  expect(disagreement(memory)).toBe(null)
  expectNothingLost(memory, mappedBytes)
  return { refused, ended: !plan.failed }
}

/** What an operation may throw. */
function classesFor(
  op: string,
  family: ErrnoFamily,
  error: string,
  fatalInAlloc: readonly string[],
): readonly ErrorClass[] {
  const isSunOS = family === 'solaris' || family === 'illumos'
  switch (op) {
    case 'sysAlloc':
      return [fatalInAlloc.includes(error) ? FatalError : OutOfMemoryError]
    case 'sysReserve':
      return [OutOfMemoryError]
    case 'sysReserveAligned':
      // The kernel refuses all of it, or keeps a part that was to go.
      return [OutOfMemoryError, FatalError]
    case 'sysMap':
      // Go throws here. Where there is only no memory, core puts the reservation back and its caller can ask for less.
      return [error === 'ENOMEM' || (isSunOS && error === 'EAGAIN') ? OutOfMemoryError : FatalError]
    default:
      // The kernel keeps a range that was to go. With ENOMEM it had no memory to split it.
      return [error === 'ENOMEM' ? OutOfMemoryError : FatalError]
  }
}

function expectNothingLost(memory: Memory, mappedBytes: () => number): void {
  for (const { address, size } of memory.ranges()) memory.sysFree(address, size, null)
  expect(memory.stats().total).toMatchObject({ reserved: 0, prepared: 0, ready: 0, held: 0 })
  expect(mappedBytes()).toBe(0)
}
