// The process's own memory, in the words of OpenTelemetry's process conventions. opentelemetry.ts
// publishes it; prom-client brings its own.
import { readFileSync } from 'node:fs'

/** What the operating system says of the process. Bytes. */
export interface ProcessPoints {
  /** Resident memory. */
  readonly usage: number
  /** Virtual memory; `null` where it is not to be read. */
  readonly virtual: number | null
}

/** Reads both. */
export function processPoints(): ProcessPoints {
  return { usage: process.memoryUsage.rss(), virtual: virtualBytes() }
}

/** VmSize in /proc/self/status: statm counts pages, whose size Node does not know. */
function virtualBytes(): number | null {
  if (process.platform !== 'linux') return null
  try {
    const kibibytes = /^VmSize:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'latin1'))?.[1]
    return kibibytes === undefined ? null : Number(kibibytes) * 1024
  } catch {
    return null
  }
}
