// Plan 9's memory calls on the host's kernel: a segment of its own, whose end is the break. The range is reserved
// once, without memory. Raising the break makes its pages touchable. libc's own break belongs to malloc, so this
// kernel never moves it.
import { alignUp, type Address, type Plan9Kernel, type PosixKernel } from '@memlayer/kernel'
import { privateMemory, privateMemoryOnMips } from './defs.js'
import type { Engine } from './engine.js'
import { hostEngine } from './host-engine.js'
import { posixKernel } from './posix-kernel.js'

/** How a segment is made. */
export interface Plan9KernelOptions {
  /**
   * How far the break can rise, in bytes: address space, not memory. Default: 64 GiB, or the most that the host
   * gives.
   */
  readonly size?: number
}

/** The host has no room for the segment. */
export class SegmentError extends Error {
  /** Stable: compare this, not the message. */
  readonly code = 'ERR_MEMLAYER_SEGMENT'
  /** The host's error number. */
  readonly errno: number

  constructor(size: number, errno: number) {
    super(
      `cannot reserve ${size} bytes for a segment: mmap failed with errno ${errno}. ` +
        "Pass a smaller size, or raise 'ulimit -v'.",
    )
    this.name = 'SegmentError'
    this.errno = errno
  }
}

const DEFAULT_SIZE_BYTES = 2 ** 36
const DEFAULT_SIZE_BYTES_MIN = 2 ** 26

// ENOMEM has this number on every Unix.
const ENOMEM = 12

const PROT_NONE = 0
const PROT_READ = 1
const PROT_WRITE = 2

/**
 * A segment of memory with a break, on the host's kernel. Each call makes one. It stays until the process ends, as
 * a program's data does.
 *
 * @throws NoEngineError ERR_MEMLAYER_NO_ENGINE when foreign calls can't be made here.
 *
 * @throws SegmentError ERR_MEMLAYER_SEGMENT when the host has no room for `size` bytes.
 *
 * @throws RangeError when `size` is not a whole number of bytes.
 */
export function plan9Kernel(options: Plan9KernelOptions = {}): Plan9Kernel {
  const { size } = options
  if (size !== undefined && !(Number.isSafeInteger(size) && size > 0)) {
    throw new RangeError(
      `plan9Kernel: the size is ${String(size)}. Pass a whole number of bytes, 1 or more and below 2^53.`,
    )
  }
  const host = posixKernel()
  return openSegment(
    hostEngine(),
    host,
    size === undefined ? reserveMost(host) : reserve(host, alignUp(size, host.pageSize)),
  )
}

interface Segment {
  readonly start: Address
  readonly limit: Address
}

function reserve(host: PosixKernel, size: number): Segment {
  const mips = host.arch?.startsWith('mips') === true
  const flags = mips ? privateMemoryOnMips : (privateMemory[process.platform] as number)
  const start = host.mmap(0, size, PROT_NONE, flags, -1, 0)
  if (start < 0) throw new SegmentError(size, -start)
  return { start, limit: start + size }
}

function reserveMost(host: PosixKernel): Segment {
  for (let size = DEFAULT_SIZE_BYTES; size > DEFAULT_SIZE_BYTES_MIN; size /= 2) {
    try {
      return reserve(host, size)
    } catch (error) {
      // The host may limit address space, and half the size may fit.
      if (!(error instanceof SegmentError)) throw error
    }
  }
  return reserve(host, DEFAULT_SIZE_BYTES_MIN)
}

function openSegment(engine: Engine, host: PosixKernel, { start, limit }: Segment): Plan9Kernel {
  const memset = engine.func(null, 'memset', 'address', ['address', 'int', 'size'])
  const { pageSize } = host
  let top = start
  // The highest break so far. No byte above it was ever touched.
  let highest = start
  return {
    pageSize,
    end: start,
    brk(addr: Address): number {
      // Written so that NaN is refused as well.
      if (!(addr >= start && addr <= limit)) return -ENOMEM
      const wanted = alignUp(addr, pageSize)
      const rises = wanted > top
      const [low, high] = rises ? [top, wanted] : [wanted, top]
      const answer = low === high ? 0 : host.mprotect(low, high - low, rises ? PROT_READ | PROT_WRITE : PROT_NONE)
      if (answer < 0) return answer
      // A break that falls drops its pages. When it rises again, the pages are new, so they read zero.
      if (rises && highest > low) memset(low, 0, Math.min(high, highest) - low)
      highest = Math.max(highest, high)
      top = wanted
      return 0
    },
    clear: (addr: Address, length: number): void => void memset(addr, 0, length),
    view: (addr: Address, length: number): ArrayBuffer => host.view(addr, length),
  }
}
