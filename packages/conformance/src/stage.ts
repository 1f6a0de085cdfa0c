// A stage for one case: a new kernel, a backend over it, and a memory over the backend. When the case ends, the stage
// frees what is left, because a real kernel outlives the case.
import { createMemory, type Memory, type MemoryEvent, type OS, type Traits } from '@memlayer/core'
import { record, type Address, type KernelCall, type Recording } from '@memlayer/kernel'
import { claim, rangeText } from './claim.js'
import type { Subject, Witness, WitnessLimits } from './subject.js'
import { simulatedWitness } from './witness.js'

/** Options of a stage. */
export interface StageOptions {
  /** The seed of the kernel. Default: the world's seed. */
  readonly seed?: number
  /** Wraps the kernel that the backend sees. */
  readonly wrap?: (kernel: object) => object
  /** Limits that a simulated kernel has before the backend is made. Another kernel keeps its own. */
  readonly limits?: WitnessLimits
  /** Whether the memory keeps a ledger. Default: true. */
  readonly ledger?: boolean
}

/** A backend for one case, with its memory and its kernel. */
export interface Stage {
  readonly os: OS
  readonly memory: Memory
  readonly witness: Witness
  /** The kernel calls since the last time; null: the subject has no kernel to watch. */
  takeCalls(): readonly KernelCall[] | null
  readonly pageSize: number
  /** The unit of reservations: a multiple of the page size and of the granularity. */
  readonly unit: number
  /** The last operation of the memory, for a report; null: there was none. */
  lastOperation(): string | null
  /** Frees all memory that the stage owns. Fails if a trait has come to say something else meanwhile. */
  clear(): void
}

/** No case makes so many kernel calls on purpose. A backend that goes through much memory in small pieces does. */
const CALLS_MAX = 500_000

/** Records the calls of a kernel, until they are too many to keep. */
function recordOf(kernel: object): Recording<object> {
  const recording = record(kernel, () => {
    const count = recording.calls.length
    claim(count < CALLS_MAX, `the backend has made ${count} kernel calls in this case: ask for a range as a whole`)
  })
  return recording
}

/** Makes a stage. */
export function setStage(subject: Subject, seed: number, options: StageOptions): Stage {
  const bottom = subject.kernel?.({ seed: options.seed ?? seed })
  if (options.limits !== undefined) simulatedWitness(bottom).setLimits?.(options.limits)
  const recording = bottom === undefined ? null : recordOf(bottom)
  const kernel = recording === null ? undefined : (options.wrap?.(recording.kernel) ?? recording.kernel)
  const os = subject.createOS(kernel === undefined ? {} : { kernel })
  const memory = createMemory(os, { ledger: options.ledger ?? true })
  const owned = new Map<Address, number>()
  let last: MemoryEvent | null = null
  memory.observe((event) => {
    last = event
    const { op, address, size, outcome } = event
    if (outcome !== 'done' || address === null) return
    if (op === 'sysAlloc' || op === 'sysReserve' || op === 'sysReserveAligned') owned.set(address, size)
    if (op === 'sysFree') owned.delete(address)
  })
  const { pageSize, granularity } = os.traits
  const traits = { ...os.traits }
  return {
    os,
    memory,
    witness: subject.witness?.(bottom, os) ?? simulatedWitness(bottom),
    takeCalls: () => recording?.take() ?? null,
    pageSize,
    unit: Math.max(pageSize, granularity),
    lastOperation: () => (last === null ? null : operationText(last)),
    clear() {
      claimKept(os.traits, traits)
      if (options.ledger === false) return
      if (os.traits.freesParts) for (const { address, size } of memory.ranges()) memory.sysFree(address, size, null)
      else for (const [address, size] of owned) memory.sysFree(address, size, null)
    },
  }
}

/** Traits are facts, also of ranges that live already. Only unusedReturnsMemory may turn, and only to false. */
function claimKept(now: Traits, before: Traits): void {
  for (const [name, value] of Object.entries(before)) {
    const found: unknown = Reflect.get(now, name)
    const isKept = found === value || (name === 'unusedReturnsMemory' && found === false)
    claim(
      isKept,
      `the trait ${name} was ${String(value)} before the operations of this case, and is ${String(found)} now`,
    )
  }
}

function operationText({ op, address, size, outcome }: MemoryEvent): string {
  const range = address === null ? `${size} bytes` : `${rangeText(address, size)}, ${size} bytes`
  return `The last operation was ${op} of ${range}${outcome === 'done' ? '' : `, which was ${outcome}`}`
}
