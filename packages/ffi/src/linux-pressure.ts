// How short of memory a Linux process is, as the kernel counts it: the time in which threads waited for memory (PSI,
// Linux 4.20), and how often the control group met its limit. Both only grow. So a look each second tells as much as
// a trigger does, and it needs no privilege, no thread and no file that stays open.
import type { HostPressure } from '@memlayer/kernel'
import type { ReadHostFile } from './host-file.js'
import { groupFolders } from './linux-groups.js'
import { numberIn, wordAfter } from './linux-words.js'

/** Reads the counters of the process's control group, or of the host. Null: none can be read. */
export function linuxPressure(read: ReadHostFile): HostPressure | null {
  const groups = read('/proc/self/cgroup') ?? ''
  const folders = groupFolders(read, groups, 2)
  const group = firstOf(read, folders, 'memory.pressure')
  const stalls = group ?? read('/proc/pressure/memory')
  const reached = timesReached(read, groups, folders)
  const [some, full] = [stalledIn(stalls, 'some'), stalledIn(stalls, 'full')]
  if (Number.isNaN(some) && Number.isNaN(reached)) return null
  const psi = group === null ? "the host's PSI" : "the control group's PSI"
  return { source: Number.isNaN(some) ? "the control group's counters" : psi, some, full, reached }
}

/** The milliseconds on a line of PSI, which ends with `total=` and microseconds. */
function stalledIn(text: string | null, kind: 'some' | 'full'): number {
  const line = (text ?? '').split('\n').find((one) => one.startsWith(`${kind} `))
  return numberIn(line?.split('total=')[1] ?? null) / 1000
}

/** How often the process's own group met memory.high or memory.max, or the limit of version 1. */
function timesReached(read: ReadHostFile, groups: string, folders: readonly string[]): number {
  const events = firstOf(read, folders, 'memory.events')
  if (events !== null) return numberIn(wordAfter(events, 'high ')) + numberIn(wordAfter(events, 'max '))
  return numberIn(firstOf(read, groupFolders(read, groups, 1), 'memory.failcnt'))
}

function firstOf(read: ReadHostFile, folders: readonly string[], file: string): string | null {
  for (const folder of folders) {
    const text = read(`${folder}/${file}`)
    if (text !== null && text !== '') return text
  }
  return null
}
