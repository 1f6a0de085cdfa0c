// Reads the real Linux's account of an arena from /proc/self/maps and smaps. It reads only up to the end of the arena,
// because a test reads them a hundred thousand times.
import { openSync, readSync } from 'node:fs'

/** One mapping as the kernel shows it. */
export interface RealMapping {
  readonly start: number
  readonly end: number
  readonly permissions: string
  readonly flags: readonly string[]
  readonly resident: number
  readonly forfeit: number
  readonly huge: number
}

/** Reads the two files for the mappings of [base, end). */
export class KernelAccount {
  readonly #maps = openSync('/proc/self/maps', 'r')
  readonly #smaps = openSync('/proc/self/smaps', 'r')
  readonly #buffer = Buffer.alloc(1 << 20)
  readonly #base: number
  readonly #end: number

  constructor(base: number, end: number) {
    this.#base = base
    this.#end = end
  }

  /** Returns addresses relative to the base, with permissions: `'1000-3000 rw-p'`. */
  maps(): string[] {
    return this.#lines(this.#maps)
      .map((line) => /^([0-9a-f]+)-([0-9a-f]+) (\S+)/.exec(line))
      .filter((match) => match !== null)
      .map(([, start = '', end = '', permissions = '']) => ({ start: parse(start), end: parse(end), permissions }))
      .filter(({ start, end }) => start < this.#end && end > this.#base)
      .map(({ start, end, permissions }) => this.line(start, end, permissions))
  }

  /** Formats a mapping as a line of {@link maps}. */
  line(start: number, end: number, permissions: string): string {
    return `${(start - this.#base).toString(16)}-${(end - this.#base).toString(16)} ${permissions}`
  }

  /** Returns the mappings with their resident bytes and attributes. */
  smaps(): RealMapping[] {
    const found: RealMapping[] = []
    for (const block of this.#lines(this.#smaps)
      .join('\n')
      .split(/\n(?=[0-9a-f]+-[0-9a-f]+ )/)) {
      const head = /^([0-9a-f]+)-([0-9a-f]+) (\S+)/.exec(block)
      const flags = /^VmFlags: (.*)$/m.exec(block)
      if (head === null || flags === null) continue
      const mapping = {
        start: parse(head[1] ?? ''),
        end: parse(head[2] ?? ''),
        permissions: head[3] ?? '',
        flags: (flags[1] ?? '').trim().split(' '),
        resident: bytes(block, 'Rss'),
        forfeit: bytes(block, 'LazyFree'),
        huge: bytes(block, 'AnonHugePages'),
      }
      if (mapping.start < this.#end && mapping.end > this.#base) found.push(mapping)
    }
    return found
  }

  /** Returns the lines up to the first mapping above the arena. The last line may be incomplete. */
  #lines(file: number): string[] {
    let text = ''
    for (let at = 0; ;) {
      const count = readSync(file, this.#buffer, 0, this.#buffer.length, at)
      text += this.#buffer.toString('latin1', 0, count)
      at += count
      const last = [...text.matchAll(/^([0-9a-f]+)-[0-9a-f]+ /gm)].at(-1)?.[1]
      if (count === 0 || (last !== undefined && parse(last) >= this.#end)) return text.split('\n')
    }
  }
}

function parse(hex: string): number {
  return Number.parseInt(hex, 16)
}

function bytes(block: string, name: string): number {
  return Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(block)?.[1] ?? 0) * 1024
}
