// The process's own memory, with the names of OpenTelemetry's process conventions. opentelemetry.ts publishes it.
// prom-client has its own.
import { readFileSync } from 'node:fs'

/** The operating system's figures of the process. Bytes. */
export interface ProcessPoints {
  /** Resident memory. `null`: this host has no way to read it. */
  readonly usage: number | null
  /** Virtual memory. `null`: this host has no way to read it. */
  readonly virtual: number | null
}

/** Reads both figures. */
export function processPoints(): ProcessPoints {
  return { usage: residentBytes(), virtual: virtualBytes() }
}

/** The engine reads a file of /proc on Linux, and throws where there is no /proc. */
function residentBytes(): number | null {
  try {
    return process.memoryUsage.rss()
  } catch {
    return null
  }
}

/** Reads VmSize in /proc/self/status. statm counts in pages, and Node does not know their size. */
function virtualBytes(): number | null {
  if (process.platform !== 'linux') return null
  try {
    const kibibytes = /^VmSize:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'latin1'))?.[1]
    return kibibytes === undefined ? null : Number(kibibytes) * 1024
  } catch {
    return null
  }
}
