// Backends over the real kernels of this host. The kernel's own files are the witness.
import { readFileSync } from 'node:fs'
import type { Subject, Witness } from '@memlayer/conformance'
import { plan9Kernel, posixKernel } from '@memlayer/ffi'
import { residencyBits } from '@memlayer/kernel'
import { createOS as engine } from '@memlayer/os-engine'
import { createOS as js, wasmKernel } from '@memlayer/os-js'
import { createOS as linux } from '@memlayer/os-linux'
import { createOS as plan9 } from '@memlayer/os-plan9'
import { standIn } from '@memlayer/stand-in'
import { residentBytes } from '@memlayer/witness'
import { subjectOf, type AnySubject } from './simulated.js'

// Since Linux 6.1. It makes a huge page of what may have one.
const MADV_COLLAPSE = 25

interface Line {
  readonly start: number
  readonly end: number
  readonly permissions: string
}

/** Returns the lines of /proc/self/maps within [v, v+n). This is fast, because only smaps walks the page tables. */
function linesIn(v: number, n: number): Line[] {
  const found: Line[] = []
  for (const line of readFileSync('/proc/self/maps', 'latin1').split('\n')) {
    const [range = '', permissions = ''] = line.split(' ', 2)
    const [start = NaN, end = NaN] = range.split('-').map((hex) => Number.parseInt(hex, 16))
    if (end > v && start < v + n) found.push({ start, end, permissions })
  }
  return found
}

/** Whether the page at `v` can't be touched, by its mapping. */
function faultsByMaps(v: number, access: 'read' | 'write'): boolean {
  return !(linesIn(v, 1)[0]?.permissions.startsWith(access === 'read' ? 'r' : 'rw') ?? false)
}

/** Reads mappings, permissions and resident pages from /proc/self. It does not touch the pages. */
function linuxWitness(pageSize: number): Witness {
  return {
    faults: faultsByMaps,
    resident: (v, n) => residentBytes(v, n, pageSize),
    held: (v, n) => linesIn(v, n).reduce((sum, { start, end }) => sum + Math.min(end, v + n) - Math.max(start, v), 0),
  }
}

/** The bytes in huge pages, of the words of a residency: address, size and bits of each run of pages. */
function hugeBytes(words: readonly number[]): number {
  let sum = 0
  for (let i = 0; i < words.length; i += 3) {
    if (((words[i + 2] ?? 0) & residencyBits.huge) !== 0) sum += words[i + 1] ?? 0
  }
  return sum
}

/** A witness that tells of huge pages too, and makes them at once where khugepaged would make them later. */
function hugePageWitness(pageSize: number): Witness {
  const kernel = posixKernel()
  return {
    ...linuxWitness(pageSize),
    hugePages: (v, n) => hugeBytes(kernel.residency?.(v, n) ?? []),
    collapse(v, n) {
      const huge = kernel.hugePageSize
      for (let at = v; huge > 0 && at < v + n; at += huge) void kernel.madvise(at, huge, MADV_COLLAPSE)
    },
  }
}

/** Adds facts that only real kernels have to a subject. */
function real(subject: AnySubject, facts: Partial<Subject>): AnySubject {
  return { ...subject, ...facts }
}

const inMemory: Witness = { faults: () => false }

/** Returns the subjects that run on this host. */
export function realSubjects(): readonly AnySubject[] {
  const engines = [
    real(
      subjectOf('js on WebAssembly.Memory', () => wasmKernel(), js),
      { witness: () => inMemory },
    ),
    real(
      subjectOf('js on a 64-bit WebAssembly.Memory', () => wasmKernel({ address: 'i64' }), js),
      { witness: () => inMemory },
    ),
  ]
  if (process.platform !== 'linux') return engines
  const { pageSize } = posixKernel()
  const witness = (): Witness => linuxWitness(pageSize)
  return [
    real(
      subjectOf('linux on Linux', () => posixKernel(), linux),
      { witness },
    ),
    real(
      subjectOf(
        'linux on Linux, MADV_FREE',
        () => posixKernel(),
        ({ kernel }) => linux({ kernel, madvDontNeed: false }),
      ),
      { witness },
    ),
    real(
      subjectOf(
        'linux on Linux, hard decommit',
        () => posixKernel(),
        ({ kernel }) => linux({ kernel, hardDecommit: true }),
      ),
      {
        witness,
        usedKeepsReady: false,
      },
    ),
    real(
      subjectOf('engine on Linux', () => posixKernel(), engine),
      {
        witness: () => hugePageWitness(pageSize),
        skip: { 'reports/huge-pages': 'smaps counts huge pages by mapping, and ranges of one buffer are one mapping' },
      },
    ),
    real(
      subjectOf(
        'engine on Linux in macOS’s place',
        () => standIn('darwin').kernel,
        ({ kernel }) => engine({ kernel, system: 'darwin' }),
      ),
      // Linux keeps the bytes of MADV_FREE until it needs the memory, so what is resident says nothing.
      { witness: () => ({ faults: faultsByMaps }) },
    ),
    real(
      subjectOf('plan9 on a segment of Linux', () => plan9Kernel(), plan9),
      { witness },
    ),
    ...engines,
  ]
}

/** Maps each system whose kernel is missing on this host to the reason. */
export const missing: Readonly<Record<string, string>> = {
  'darwin on macOS': 'needs a macOS kernel',
  'bsd on the BSDs': 'needs a kernel of a BSD, Solaris or illumos',
  'aix on AIX': 'needs an AIX kernel',
}
