// What a filter of system calls, or an old kernel, takes from the layer, as findings. A filter may end the process for
// a call, so a child makes those calls first. doctor.ts asks.
import type { Memory } from '@memlayer/core'
import { noBatch } from './environment.js'
import { failure, ok, warning, type Finding } from './finding.js'
import { tryInChild } from './trial.js'
import { givesBackMany, givesHugePages, populates, residencyOf } from './trial-steps.js'

/** What a trial found. */
export interface SystemCalls {
  readonly findings: readonly Finding[]
  /** Whether a filter ends a process that uses the layer at all. Then this one may not use it. */
  readonly endsProcess: boolean
}

/** Tries the calls. Nothing is found where the backend has no such calls. */
export function systemCalls(memory: Memory): SystemCalls {
  const { os } = memory
  if (os.sysUnusedAllOS === undefined || os.sysPopulateOS === undefined) return { findings: [], endsProcess: false }
  const limits = os.host?.limits?.()
  const isFiltered = limits !== undefined && 'filtersCalls' in limits && limits.filtersCalls
  if (!isFiltered) return { findings: refused(memory, true), endsProcess: false }
  const set = ok('filter', 'A filter of system calls (seccomp) is set for this process.')
  const trial = tryInChild({})
  if (!trial.isKnown)
    return { findings: [{ ...set, code: 'filter-untried', says: `${set.says} ${untried}` }], endsProcess: false }
  const { endedAt } = trial
  if (endedAt !== null && endedAt !== 'batch' && endedAt !== 'threads') {
    const { does, calls } = steps[endedAt]
    const says = `The filter ends the process where the layer ${does}.`
    return {
      findings: [set, failure('filter-ends', says, `Allow ${calls} in the filter ${where}.`)],
      endsProcess: true,
    }
  }
  // Without that call the one after it can be tried.
  const last = endedAt === 'batch' ? tryInChild({ MEMLAYER_NO_BATCH: '1' }) : trial
  const ended = [...(endedAt === 'batch' ? [endsBatch] : []), ...(last.endedAt === 'threads' ? [endsThreads] : [])]
  return { findings: [set, ...ended, ...refused(memory, endedAt !== 'batch')], endsProcess: false }
}

const untried = 'Not tested: at which calls it ends the process. This runtime could not start a child.'

const where = '(SystemCallFilter= of systemd)'

/** The steps without which nothing works, in words. */
const steps = {
  start: { does: 'opens its backend', calls: 'mmap, munmap, madvise, openat, read and close' },
  region: { does: 'uses a region', calls: 'mmap, munmap and madvise with every flag' },
  residency: { does: 'asks which pages are resident', calls: 'mincore, and ioctl with PAGEMAP_SCAN,' },
  'huge pages': { does: 'asks for huge pages', calls: 'madvise with MADV_HUGEPAGE and MADV_NOHUGEPAGE' },
  populate: { does: 'populates pages', calls: 'madvise with MADV_POPULATE_WRITE' },
} as const

const endsBatch: Finding = warning(
  'filter-ends-batch',
  'The filter ends the process at process_madvise or pidfd_open, which sysUnusedAll calls.',
  `Set the environment variable MEMLAYER_NO_BATCH=1, or allow both calls in the filter ${where}.`,
)

const endsThreads: Finding = warning(
  'filter-ends-threads',
  'The filter ends the process at tgkill, by which the layer asks whether a thread that used it lives.',
  `Use memlayer in one thread, or allow tgkill in the filter ${where}.`,
)

/** What the kernel refuses. `mayBatch`: whether the batched call may be made in this process. */
function refused(memory: Memory, mayBatch: boolean): Finding[] {
  const batched = noBatch() || mayBatch ? batch(memory) : []
  return [...batched, ...populate(memory), ...hugePages(memory), ...residency(memory), ...threads(memory)]
}

function batch(memory: Memory): Finding[] {
  const oneByOne = 'sysUnusedAll gives ranges back one by one'
  if (noBatch()) return [ok('batch-refused', `${oneByOne}: MEMLAYER_NO_BATCH is set.`)]
  const isBatched = givesBackMany(memory)
  if (isBatched === undefined) return []
  if (isBatched) return [ok('batch', 'sysUnusedAll gives many ranges back in one call (process_madvise).')]
  const why = 'the kernel refuses process_madvise or pidfd_open (Linux before 6.13, locked memory, or a filter)'
  return [ok('batch-refused', `${oneByOne}: ${why}.`)]
}

function populate(memory: Memory): Finding[] {
  if (populates(memory) !== false) return []
  const why = 'the kernel refuses MADV_POPULATE_WRITE (Linux before 5.14, or a filter)'
  return [ok('populate-refused', `sysPopulate does nothing and returns false: ${why}.`)]
}

/** Where the kernel's policy grants huge pages. */
function hugePages(memory: Memory): Finding[] {
  const limits = memory.os.host?.limits?.()
  const policy = limits !== undefined && 'hugePages' in limits ? limits.hugePages : undefined
  if (policy === undefined || policy === 'never' || givesHugePages(memory) !== false) return []
  const why = 'The kernel has none free, or a filter refuses MADV_HUGEPAGE.'
  return [ok('huge-pages-refused', `sysHugePage asked for huge pages, and none came. ${why}`)]
}

function residency(memory: Memory): Finding[] {
  const told = residencyOf(memory)
  if (told === null)
    return [ok('residency-refused', 'residency() returns null: the kernel refuses PAGEMAP_SCAN and mincore.')]
  if (told === undefined || !Number.isNaN(told.huge)) return []
  const why = 'the kernel refuses PAGEMAP_SCAN (Linux before 6.7, a missing /proc, or a filter)'
  return [ok('residency-part', `residency() does not tell huge pages and swap space: ${why}.`)]
}

/** Memories find those of other threads by a table at an address that all know. */
function threads({ os }: Memory): Finding[] {
  if (os.host?.processTable === undefined || os.host.processTable() !== null) return []
  const says = 'Threads do not know of each other: each counts the limits for itself, and what a worker leaves is kept.'
  return [
    warning(
      'threads-unknown',
      says,
      `Use memlayer in one thread, or allow gettid, tgkill and mmap in the filter ${where}.`,
    ),
  ]
}
