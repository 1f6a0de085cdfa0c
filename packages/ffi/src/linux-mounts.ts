// Where the hierarchies of control groups are mounted, by /proc/self/mountinfo. A container often has a part of a
// hierarchy mounted as if it were all of it. linux-groups.ts asks.
//
// Source: proc_pid_mountinfo(5).
import type { ReadHostFile } from './host-file.js'

/** A hierarchy as it is mounted. */
export interface Mount {
  /** The folder where it is mounted. */
  readonly point: string
  /** The group that the folder shows. `/` shows all of the hierarchy. */
  readonly group: string
}

/** The mounts of version 1's memory controller, or of version 2. Empty: the file can't be read, or there is none. */
export function groupMounts(read: ReadHostFile, version: 1 | 2): Mount[] {
  const found: Mount[] = []
  for (const line of (read('/proc/self/mountinfo') ?? '').split('\n')) {
    // The number of optional fields before the dash varies.
    const [places = '', kinds = ''] = line.split(' - ')
    const [, , , group, point] = places.split(' ')
    const [type, , options = ''] = kinds.split(' ')
    const isWanted = version === 2 ? type === 'cgroup2' : type === 'cgroup' && options.split(',').includes('memory')
    if (isWanted && group !== undefined && point !== undefined) {
      found.push({ point: unescaped(point), group: unescaped(group) })
    }
  }
  return found
}

/** The kernel writes a space, a tab, a newline and a backslash as a backslash and three octal digits. */
function unescaped(text: string): string {
  const [first = '', ...rest] = text.split('\\')
  return first + rest.map((part) => String.fromCharCode(parseInt(part.slice(0, 3), 8)) + part.slice(3)).join('')
}
