// Reads /proc/self/smaps and /proc/self/pagemap. Tests compare the layer's account with this account of the kernel.
import { closeSync, openSync, readFileSync, readSync } from 'node:fs'

/** One mapping of the process. */
export interface Mapping {
  readonly start: number
  readonly end: number
  /** The permissions: `'rw-p'`, `'---p'`. */
  readonly permissions: string
  /** The file, or the kernel's name for the mapping. It is '' for an anonymous mapping. */
  readonly name: string
  /** Resident bytes. */
  readonly rss: number
  /** Resident bytes in huge pages. */
  readonly anonHugePages: number
  /** The advice flags: `'hg'` asks for huge pages, `'nh'` forbids them. */
  readonly flags: readonly string[]
}

/** Returns every mapping of this process, from /proc/self/smaps. */
export function mappings(): Mapping[] {
  const found: Mapping[] = []
  for (const block of readFileSync('/proc/self/smaps', 'latin1').split(/^(?=[0-9a-f]+-[0-9a-f]+ )/m)) {
    const head = /^([0-9a-f]+)-([0-9a-f]+) (\S+) \S+ \S+ \S+ *(.*)$/m.exec(block)
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

/** Returns the mappings that overlap [v, v+n). */
export function mappingsIn(v: number, n: number): Mapping[] {
  return mappings().filter(({ start, end }) => start < v + n && end > v)
}

/** Returns how many bytes of [v, v+n) are mapped with these permissions. */
export function bytesWith(permissions: string, v: number, n: number): number {
  return mappingsIn(v, n)
    .filter((mapping) => mapping.permissions === permissions)
    .reduce((sum, { start, end }) => sum + Math.min(end, v + n) - Math.max(start, v), 0)
}

/** Reads from /proc/self/pagemap which of `count` pages from `v` on have memory. The answer is by number. */
export function presentPages(v: number, count: number, pageSize: number): (page: number) => boolean {
  const entries = Buffer.alloc(count * 8)
  const file = openSync('/proc/self/pagemap', 'r')
  try {
    readSync(file, entries, 0, entries.length, (v / pageSize) * 8)
  } finally {
    closeSync(file)
  }
  // Bit 63 of an entry says that the page is present.
  return (page) => ((entries[page * 8 + 7] as number) & 0x80) !== 0
}

/** Returns how many bytes of [v, v+n) are resident, page by page. */
export function residentBytes(v: number, n: number, pageSize: number): number {
  const count = n / pageSize
  const isPresent = presentPages(v, count, pageSize)
  let pages = 0
  for (let page = 0; page < count; page++) if (isPresent(page)) pages += 1
  return pages * pageSize
}

/** Returns the resident bytes of the whole process, from /proc/self/statm. */
export function processResident(pageSize: number): number {
  return Number(readFileSync('/proc/self/statm', 'latin1').split(' ')[1]) * pageSize
}

function kibibytes(block: string, name: string): number {
  return Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(block)?.[1] ?? 0) * 1024
}
