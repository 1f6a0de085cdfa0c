// Where a case is played: a fresh kernel, a backend over it, a memory over that. What the case
// leaves behind is freed when it ends, because a real kernel outlives it.
import { createMemory, type Memory, type OS } from '@memlayer/core'
import { record, type Address, type KernelCall } from '@memlayer/kernel'
import type { Subject, Witness } from './subject.js'
import { simulatedWitness } from './witness.js'

/** How a stage is set. */
export interface StageOptions {
  /** Default: the world's. */
  readonly seed?: number
  /** Puts something between the backend and the kernel. */
  readonly wrap?: (kernel: object) => object
  /** Whether the memory keeps a ledger. Default true. */
  readonly ledger?: boolean
}

/** A backend that a case may do with as it likes. */
export interface Stage {
  readonly os: OS
  readonly memory: Memory
  readonly witness: Witness
  /** What was asked of the kernel since the last question; null: the subject has no kernel to watch. */
  takeCalls(): readonly KernelCall[] | null
  readonly pageSize: number
  /** What reservations are made of: a multiple of the page and of the granularity. */
  readonly unit: number
  /** Frees all that the memory owns. */
  clear(): void
}

/** Sets a stage. */
export function setStage(subject: Subject, seed: number, options: StageOptions): Stage {
  const bottom = subject.kernel?.({ seed: options.seed ?? seed })
  const recording = bottom === undefined ? null : record(bottom)
  const kernel = recording === null ? undefined : (options.wrap?.(recording.kernel) ?? recording.kernel)
  const os = subject.createOS(kernel === undefined ? {} : { kernel })
  const memory = createMemory(os, { ledger: options.ledger ?? true })
  const owned = new Map<Address, number>()
  memory.observe(({ op, address, size, outcome }) => {
    if (outcome !== 'done' || address === null) return
    if (op === 'sysAlloc' || op === 'sysReserve' || op === 'sysReserveAligned') owned.set(address, size)
    if (op === 'sysFree') owned.delete(address)
  })
  const { pageSize, granularity } = os.traits
  return {
    os,
    memory,
    witness: subject.witness?.(bottom, os) ?? simulatedWitness(bottom),
    takeCalls: () => recording?.take() ?? null,
    pageSize,
    unit: Math.max(pageSize, granularity),
    clear() {
      if (options.ledger === false) return
      if (os.traits.freesParts) for (const { address, size } of memory.ranges()) memory.sysFree(address, size, null)
      else for (const [address, size] of owned) memory.sysFree(address, size, null)
    },
  }
}
