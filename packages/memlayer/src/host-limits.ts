// What bounds a process's memory from outside, as findings: the policy for huge pages, overcommit, and the control
// group. limits.ts asks.
import { formatBytes } from '@memlayer/core'
import { ok, warning, type Finding } from './finding.js'
import { bytes, roomBytesMin, type PosixLimits } from './limit-text.js'

/** To whom the kernel gives huge pages. */
export function hugePages({ hugePages: policy, hugePagesDisabled = false }: PosixLimits): Finding {
  const file = '/sys/kernel/mm/transparent_hugepage/enabled'
  if (hugePagesDisabled) {
    const says =
      'Huge pages are switched off for this process by prctl(PR_SET_THP_DISABLE), so sysHugePage does nothing.'
    const hint =
      'Find the program that switches them off: this one, or one that started it, because children inherit it.'
    return warning('huge-pages-disabled', says, hint)
  }
  if (policy === undefined)
    return ok('huge-pages-unknown', `The kernel's policy for huge pages is not known (${file} can't be read).`)
  const setting = `${file} is ${policy}`
  if (policy === 'always') return ok('huge-pages', `The kernel gives huge pages wherever they fit (${setting}).`)
  if (policy === 'madvise')
    return ok('huge-pages', `The kernel gives huge pages where sysHugePage asks for them (${setting}).`)
  const says = `The kernel gives no huge pages, so sysHugePage does nothing (${setting}).`
  return warning('huge-pages-never', says, `Allow them where they matter: echo madvise > ${file}.`)
}

/** How the kernel bounds writable memory. It never counts a reservation, which has no access. */
export function overcommit(limits: PosixLimits): Finding {
  const { overcommit: mode, commitLimit, committed, hostMemory = NaN, hostSwap = NaN } = limits
  const says = `Reservations cost nothing (vm.overcommit_memory is ${mode}).`
  switch (mode) {
    case 0: {
      const most = hostMemory + hostSwap
      const bound = `memory and swap together${Number.isNaN(most) ? '' : ` (${formatBytes(most)})`}`
      return ok('overcommit', `${says} The kernel refuses one commit larger than ${bound}. In steps it grants more.`)
    }
    case 1:
      return ok('overcommit', `${says} The kernel grants every commit, and memory comes at the first touch.`)
    case 2: {
      const counts = 'The kernel counts each commit in full, before its first touch.'
      const told = `${says} ${counts} ${bytes(committed)} of ${bytes(commitLimit)} are committed on this host.`
      if (!(commitLimit - committed <= roomBytesMin)) return ok('overcommit', told)
      return warning('overcommit-near', told, 'Commit later, add swap, or raise vm.overcommit_ratio.')
    }
    default:
      return ok('overcommit-unknown', "The kernel's overcommit mode is not known (vm.overcommit_memory).")
  }
}

/** The control group: the limit where the kernel ends a process, and the limit where it stalls it. */
export function group(limits: PosixLimits): Finding[] {
  const { groupLimit: limit, groupUsed, groupHigh: high = NaN, groupHighUsed = NaN } = limits
  const stalls = Number.isFinite(high) ? [groupHigh(high, groupHighUsed)] : []
  if (Number.isFinite(limit)) return [groupLimit(limit, groupUsed, limits), ...stalls]
  if (stalls.length > 0) return stalls
  const says =
    limit === Infinity
      ? 'No control group limits the memory of this process.'
      : "The control group's limit on memory is not known."
  return [ok('group', says)]
}

/** The part of a group's limit whose use gives a warning. */
const usedPartMax = 0.8
const cache = 'This leaves out file pages that the kernel can take back.'

function groupLimit(limit: number, used: number, { hostMemory = NaN, hostSwap = 0 }: PosixLimits): Finding {
  const uses = `The control group uses ${bytes(used)} of ${formatBytes(limit)}.`
  if (limit > hostMemory + hostSwap) {
    return ok('group', `${uses} The host has less, ${formatBytes(hostMemory + hostSwap)}, so that is the limit.`)
  }
  const says = `${uses} ${cache}`
  if (!(used >= usedPartMax * limit)) return ok('group', says)
  const raise = 'raise memory.max (memory.limit_in_bytes in version 1)'
  const hint = `Give pages back with sysUnused, or ${raise}. The kernel ends a process that exceeds the limit.`
  return warning('group-near', says, hint)
}

function groupHigh(high: number, used: number): Finding {
  const stalls = `The kernel stalls the control group beyond ${formatBytes(high)} (memory.high).`
  const says = `${stalls} It uses ${bytes(used)}. ${cache}`
  if (!(used >= usedPartMax * high)) return ok('group-high', says)
  const hint = 'Give pages back with sysUnused, or raise memory.high (MemoryHigh= of systemd).'
  return warning('group-high-near', says, `${hint} Beyond it the process is slow, and no error tells why.`)
}
