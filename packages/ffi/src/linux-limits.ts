// The limits on a Linux process's memory, read from /proc and the control group's files. For
// the text of an error: it reads a dozen files, and what can't be read is NaN.
import type { PosixLimits } from '@memlayer/kernel'
import type { ReadHostFile } from './host-file.js'

/** The limits in force now. */
export function linuxLimits(read: ReadHostFile): PosixLimits {
  const limits = read('/proc/self/limits')
  const meminfo = read('/proc/meminfo')
  const status = read('/proc/self/status')
  const group = groupFolder(read('/proc/self/cgroup'))
  return {
    addressSpace: softLimit(limits, 'Max address space'),
    addressSpaceUsed: kibibytes(status, 'VmSize'),
    lockedMemory: softLimit(limits, 'Max locked memory'),
    maxMappings: number(read('/proc/sys/vm/max_map_count')),
    mappings: countLines(read('/proc/self/maps')),
    overcommit: number(read('/proc/sys/vm/overcommit_memory')),
    commitLimit: kibibytes(meminfo, 'CommitLimit'),
    committed: kibibytes(meminfo, 'Committed_AS'),
    groupLimit: group === null ? NaN : number(read(`${group}/memory.max`)),
    groupUsed: group === null ? NaN : number(read(`${group}/memory.current`)),
  }
}

/** What the process has of `vm.max_map_count`. */
export function linuxMappings(read: ReadHostFile): { readonly used: number; readonly limit: number } {
  return { used: countLines(read('/proc/self/maps')), limit: number(read('/proc/sys/vm/max_map_count')) }
}

/** `max` is how a control group writes that there is no limit. */
function number(text: string | null): number {
  if (text === null || text.trim() === '') return NaN
  return text.trim() === 'max' ? Infinity : Number(text)
}

function softLimit(limits: string | null, name: string): number {
  const word = new RegExp(`^${name}\\s+(\\S+)`, 'm').exec(limits ?? '')?.[1]
  return word === 'unlimited' ? Infinity : number(word ?? null)
}

function kibibytes(text: string | null, name: string): number {
  const word = new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text ?? '')?.[1]
  return word === undefined ? NaN : Number(word) * 1024
}

function countLines(text: string | null): number {
  return text === null ? NaN : text.split('\n').length - 1
}

/** The process's own folder in the unified hierarchy; null where there is none. */
function groupFolder(groups: string | null): string | null {
  const path = /^0::(\/.*)$/m.exec(groups ?? '')?.[1]
  return path === undefined ? null : `/sys/fs/cgroup${path === '/' ? '' : path}`
}
