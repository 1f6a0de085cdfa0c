// /proc/self/smaps and /proc/self/pagemap: the kernel's own account, against which the
// layer's is held.
import { closeSync, openSync, readFileSync, readSync } from 'node:fs'

/** One mapping of the process. */
export interface Mapping {
  readonly start: number
  readonly end: number
  /** `'rw-p'`, `'---p'`. */
  readonly permissions: string
  /** The file or the kernel's name for it; empty: anonymous. */
  readonly name: string
  /** Resident bytes. */
  readonly rss: number
  /** Of those, bytes in huge pages. */
  readonly anonHugePages: number
  /** Advice flags: `'hg'` huge pages asked for, `'nh'` refused. */
  readonly flags: readonly string[]
}

/** Every mapping of this process, from /proc/self/smaps. */
export function mappings(): Mapping[] {
  const found: Mapping[] = []
  for (const block of readFileSync('/proc/self/smaps', 'latin1').split(/^(?=[0-9a-f]+-[0-9a-f]+ )/m)) {
    const head = /^([0-9a-f]+)-([0-9a-f]+) (\S+) \S+ \S+ \S+\s*(.*)$/m.exec(block)
    if (head === null) continue
    found.push({
      start: Number.parseInt(head[1] ?? '', 16),
      end: Number.parseInt(head[2] ?? '', 16),
      permissions: head[3] ?? '',
      name: head[4] ?? '',
      rss: kibibytes(block, 'Rss'),
      anonHugePages: kibibytes(block, 'AnonHugePages'),
      flags: (/^VmFlags: (.*)$/m.exec(block)?.[1] ?? '').trim().split(' '),
    })
  }
  return found
}

/** The mappings that lie in [v, v+n), whole or in part. */
export function mappingsIn(v: number, n: number): Mapping[] {
  return mappings().filter(({ start, end }) => start < v + n && end > v)
}

/** The bytes of [v, v+n) that are mapped with these permissions. */
export function bytesWith(permissions: string, v: number, n: number): number {
  return mappingsIn(v, n)
    .filter((mapping) => mapping.permissions === permissions)
    .reduce((sum, { start, end }) => sum + Math.min(end, v + n) - Math.max(start, v), 0)
}

/** The bytes of [v, v+n) that have memory behind them, page by page, from /proc/self/pagemap. */
export function residentBytes(v: number, n: number, pageSize: number): number {
  const entries = Buffer.alloc((n / pageSize) * 8)
  const file = openSync('/proc/self/pagemap', 'r')
  try {
    readSync(file, entries, 0, entries.length, (v / pageSize) * 8)
  } finally {
    closeSync(file)
  }
  let pages = 0
  // Bit 63 of an entry: the page is present.
  for (let at = 7; at < entries.length; at += 8) if (((entries[at] as number) & 0x80) !== 0) pages += 1
  return pages * pageSize
}

/** Resident bytes of the whole process, from /proc/self/statm. */
export function processResident(pageSize: number): number {
  return Number(readFileSync('/proc/self/statm', 'latin1').split(' ')[1]) * pageSize
}

function kibibytes(block: string, name: string): number {
  return Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(block)?.[1] ?? 0) * 1024
}
