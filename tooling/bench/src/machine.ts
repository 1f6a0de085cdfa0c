// Describes the machine that measured a page, as far as the figures depend on it.
import { readFileSync } from 'node:fs'
import { availableParallelism, cpus, loadavg, release, totalmem, type } from 'node:os'
import { formatBytes } from '@memlayer/core'
import { koffiVersion } from './layer.js'

/** What a reader has to know about the machine. */
export interface Machine {
  readonly processor: string
  readonly processors: number
  readonly memory: string
  readonly kernel: string
  readonly pageSize: string
  readonly hugePages: string
  readonly engine: string
  readonly foreignCalls: string
  readonly compiler: string
  /** The load of the last minute before the run. More than 0 means that other programs were running. */
  readonly load: number
}

/** Describes this machine and the compiler that built the floor. */
export function describeMachine(compiler: string, pageSize: number, hugePageSize: number): Machine {
  return {
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    processors: availableParallelism(),
    memory: formatBytes(totalmem()),
    kernel: `${type()} ${release()}`,
    pageSize: formatBytes(pageSize),
    hugePages: hugePageSize === 0 ? 'none' : `${formatBytes(hugePageSize)}, ${hugePagePolicy()}`,
    engine: `Node ${process.versions.node}, V8 ${process.versions.v8}`,
    foreignCalls: `koffi ${koffiVersion()}`,
    compiler,
    load: Number((loadavg()[0] ?? 0).toFixed(1)),
  }
}

/** Returns the chosen policy for huge pages, the one in brackets: `always [madvise] never`. */
export function hugePagePolicy(): string {
  try {
    return /\[(\w+)\]/.exec(readFileSync('/sys/kernel/mm/transparent_hugepage/enabled', 'latin1'))?.[1] ?? 'unknown'
  } catch {
    return 'unknown'
  }
}

/** Formats the machine as two lines for the head of the page. */
export function machineText(machine: Machine): string {
  const { processor, processors, memory, kernel, pageSize, hugePages, engine, foreignCalls, compiler, load } = machine
  return [
    `${processor}, ${processors} processors, ${memory}, ${kernel}, pages of ${pageSize}, huge pages: ${hugePages}`,
    `${engine}, ${foreignCalls}, floor: ${compiler}; load ${load} as it began`,
  ].join('\n')
}
