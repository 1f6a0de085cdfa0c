// Advice over many ranges by one system call: process_madvise(2) on the own process. Since Linux 6.13 it takes any
// advice there. Older kernels refuse it, and then nothing has changed.
import type { Address } from '@memlayer/kernel'
import type { Engine } from './engine.js'
import { scratch, shared, sharedDescriptor } from './linux-table.js'

// <asm-generic/unistd.h>. x86-64 has the same numbers for all calls that came after Linux 5.0.
const SYS_PIDFD_OPEN = 434
const SYS_PROCESS_MADVISE = 440
const ENOMEM = 12
const ENOSYS = 38

// UIO_MAXIOV, <limits.h>. The kernel refuses more ranges in one call.
const RANGES_MAX = 1024
// sizeof(struct iovec) where pointers have 64 bits.
const IOVEC_BYTES = 16
// Processors with these system call numbers, 64-bit pointers and the ordinary calling convention for variadic
// functions.
const processors: readonly string[] = ['x64', 'arm64', 'riscv64', 'loong64', 'ppc64']

const isLittleEndian = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1

interface Permissions {
  querySync?(name: { name: 'env'; variable: string }): { readonly state: string }
}

/**
 * Whether MEMLAYER_NO_BATCH is set. It is for a process that a filter of system calls ends at one of these calls, which
 * the process can't find out by itself.
 */
export function isBatchOff(): boolean {
  const variable = 'MEMLAYER_NO_BATCH'
  // Without permission Deno would ask a person, or throw.
  const { Deno: deno } = globalThis as { Deno?: { readonly permissions?: Permissions } }
  const state = deno?.permissions?.querySync?.({ name: 'env', variable }).state
  if (state !== undefined && state !== 'granted') return false
  return !['', '0', undefined].includes(process.env[variable])
}

/** Opens the batched call on this host. The function returned answers 0, or minus the error number. */
export function linuxBatch(engine: Engine, errno: Int32Array): (ranges: ArrayLike<number>, advice: number) => number {
  if (!processors.includes(process.arch)) return () => -ENOSYS
  const syscall = engine.func(null, 'syscall', 'address', [
    'address',
    'address',
    'address',
    'address',
    'address',
    'address',
  ])
  // The kernel reads the vector in place, so it lies in memory that no collector moves.
  const vector: Address = scratch(engine, RANGES_MAX * IOVEC_BYTES)
  if (vector === 0) return () => -ENOMEM
  const words = new Uint32Array(engine.view(vector, RANGES_MAX * IOVEC_BYTES))
  let pidfd = -1
  let refusal = -ENOSYS
  const open = (): number => {
    const fd = syscall(SYS_PIDFD_OPEN, process.pid, 0, 0, 0, 0)
    if (fd < 0) refusal = -(errno[0] as number)
    return fd
  }

  return (ranges, advice) => {
    // A process that has no descriptor left may have one later.
    if (pidfd < 0) pidfd = sharedDescriptor(engine, shared.self, open)
    if (pidfd < 0) return refusal
    let answer = 0
    // The bytes of the range at `from` that are done.
    let skip = 0
    for (let from = 0; from < ranges.length;) {
      const count = Math.min(RANGES_MAX, (ranges.length - from) / 2)
      const bytes = fill(words, ranges, from, count, skip)
      const done = syscall(SYS_PROCESS_MADVISE, pidfd, vector, count, advice, 0)
      const failed = done < 0 ? -(errno[0] as number) : 0
      if (done === bytes) {
        from += 2 * count
        skip = 0
      } else if (done > 0) {
        // The kernel stops at the first range that it refuses, and after 2 GiB less a page (MAX_RW_COUNT). It tells how
        // far it came. The next call starts there, and does the rest or tells the reason.
        skip += done
        while (from < ranges.length && skip >= (ranges[from + 1] as number)) {
          skip -= ranges[from + 1] as number
          from += 2
        }
      } else {
        answer = done < 0 ? failed : answer
        if (from === 0 && skip === 0) return answer
        from += 2
        skip = 0
      }
    }
    return answer
  }
}

/** Writes the vector, without the first `skip` bytes. Returns the sum of its ranges' bytes. */
function fill(words: Uint32Array, ranges: ArrayLike<number>, from: number, count: number, skip: number): number {
  let bytes = 0
  for (let i = 0; i < 2 * count; i++) {
    const whole = ranges[from + i] as number
    const value = i > 1 || skip === 0 ? whole : i === 0 ? whole + skip : whole - skip
    const high = Math.floor(value / 2 ** 32)
    words[2 * i] = isLittleEndian ? value : high
    words[2 * i + 1] = isLittleEndian ? high : value
    if (i % 2 === 1) bytes += value
  }
  return bytes
}
